-- What a sample would have each objective say, and where its item stood: rows of before know the label alone, and no position.

ALTER TABLE samples ADD COLUMN IF NOT EXISTS targets Array(Float32);

ALTER TABLE samples ADD COLUMN IF NOT EXISTS position UInt32;

-- again, for a view keeps the columns that its table had
CREATE OR REPLACE VIEW samples_now AS
SELECT * FROM samples FINAL ORDER BY sample_id, label_version DESC LIMIT 1 BY sample_id;
