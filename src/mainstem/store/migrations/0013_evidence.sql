-- What evidence reads of a sample beside its numbers, and what it is measured by.

-- Where a sample comes from; empty in rows from before.
ALTER TABLE features ADD COLUMN IF NOT EXISTS source LowCardinality(String);
ALTER TABLE features ADD COLUMN IF NOT EXISTS category LowCardinality(String);

-- Confirmed samples of the gate, which are never judged, by the set that the levels of a judgement
-- would put them into, and those of them whose label in the log is wrong. Zeros where evidence has
-- not learnt, and in rows from before.
ALTER TABLE judgements ADD COLUMN IF NOT EXISTS gate_core UInt32;
ALTER TABLE judgements ADD COLUMN IF NOT EXISTS gate_core_wrong UInt32;
ALTER TABLE judgements ADD COLUMN IF NOT EXISTS gate_edge UInt32;
ALTER TABLE judgements ADD COLUMN IF NOT EXISTS gate_edge_wrong UInt32;
ALTER TABLE judgements ADD COLUMN IF NOT EXISTS gate_noise UInt32;
ALTER TABLE judgements ADD COLUMN IF NOT EXISTS gate_noise_wrong UInt32;
