-- The target of a sample for each objective, and the place of its item in the impression. Rows from
-- before have neither; they have only the label.

ALTER TABLE samples ADD COLUMN IF NOT EXISTS targets Array(Float32);

ALTER TABLE samples ADD COLUMN IF NOT EXISTS position UInt32;

-- Made again, because a view keeps the columns that its table had.
CREATE OR REPLACE VIEW samples_now AS
SELECT * FROM samples FINAL ORDER BY sample_id, label_version DESC LIMIT 1 BY sample_id;
