-- Whether the loss of a round heeded how likely labels are right, and what decided it.

-- Probability that a confirmed gate sample with a wrong label is harder for the parent than one of
-- its class with a right label: 0.5 if errors fall alike. NULL if that was not measured.
ALTER TABLE rounds ADD COLUMN IF NOT EXISTS harder Nullable(Float64) DEFAULT NULL;

-- Rounds from before heeded it always.
ALTER TABLE rounds ADD COLUMN IF NOT EXISTS weighed UInt8 DEFAULT 1;
