-- What evidence that learns from confirmed samples reads and says.

-- The label that the log gave to a sample whose label somebody confirmed, which `label` overrules;
-- -1 for all other samples, and in rows from before.
ALTER TABLE responses ADD COLUMN IF NOT EXISTS given Int16 DEFAULT -1;

-- Made again, because a view keeps the columns that its table had.
CREATE OR REPLACE VIEW responses_now AS
SELECT *, norm / scale AS importance_seen FROM responses FINAL;

-- Where evidence that has learnt from confirmed samples decides: the probability that the label in
-- the log is right, the weight of the sample in the loss, and what each part of the evidence adds to
-- the log-odds that the label is wrong.
ALTER TABLE standings ADD COLUMN IF NOT EXISTS probably_right Nullable(Float64);
ALTER TABLE standings ADD COLUMN IF NOT EXISTS weight Float32 DEFAULT 1;
ALTER TABLE standings ADD COLUMN IF NOT EXISTS parts Array(LowCardinality(String));
ALTER TABLE standings ADD COLUMN IF NOT EXISTS say Array(Float32);
CREATE OR REPLACE VIEW standings_now AS SELECT * FROM standings FINAL;

ALTER TABLE moves ADD COLUMN IF NOT EXISTS probably_right Nullable(Float64);
ALTER TABLE moves ADD COLUMN IF NOT EXISTS weight Float32 DEFAULT 1;
ALTER TABLE moves ADD COLUMN IF NOT EXISTS parts Array(LowCardinality(String));
ALTER TABLE moves ADD COLUMN IF NOT EXISTS say Array(Float32);
CREATE OR REPLACE VIEW moves_now AS SELECT * FROM moves FINAL;

-- `combined`, or `recent margin`; empty in rows from before, when the recent margin always decided.
ALTER TABLE judgements ADD COLUMN IF NOT EXISTS decides LowCardinality(String);
