-- How much of a response a visit computed.

-- `full`, `last` or `forward`. The norm of a cheaper visit is the full norm that is expected with it,
-- so norms of all kinds are on one scale. Visits from before are full.
ALTER TABLE responses ADD COLUMN IF NOT EXISTS kind LowCardinality(String) DEFAULT 'full';

-- The norm over the layers of the kind; that of a full visit is its norm.
ALTER TABLE responses ADD COLUMN IF NOT EXISTS measured Float32 DEFAULT norm;

-- Made again, because a view keeps the columns that its table had.
CREATE OR REPLACE VIEW responses_now AS
SELECT *, norm / scale AS importance_seen FROM responses FINAL;
