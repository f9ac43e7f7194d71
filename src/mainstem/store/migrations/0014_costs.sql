-- What passes of samples through a model cost, and features. A visit has a row of its own under its partition and
-- position, so a visit that is made again after a crash replaces its row, however the samples were
-- grouped. The passes of a round have one row for each kind, with partition and offset 0. The other
-- rows of a kind that a round did not need hold zeros.
CREATE TABLE IF NOT EXISTS costs (
    version UInt32,                -- the version that scored or that was made, promoted or not
    kind LowCardinality(String),   -- score, rescore; features; train, evaluate, scale, direction; later
    partition UInt32,
    offset UInt64 CODEC(Delta, ZSTD(1)),  -- position of the sample that was visited
    samples UInt64,                -- samples that the passes read, once for each pass
    tokens UInt64,                 -- tokens that they read, without padding
    forward_equivalents Float64,   -- tokens that plain passes would have read for the same work
    seconds Float64                -- by the clock, so that no two runs agree on it
) ENGINE = ReplacingMergeTree ORDER BY (version, kind, partition, offset);

CREATE OR REPLACE VIEW costs_now AS SELECT * FROM costs FINAL;

CREATE OR REPLACE VIEW costs_of_version AS
SELECT
    version, kind, sum(c.samples) AS samples, sum(c.tokens) AS tokens,
    round(sum(c.forward_equivalents), 1) AS forward_equivalents,
    round(sum(c.seconds), 3) AS seconds
FROM costs_now AS c GROUP BY version, kind HAVING samples > 0;
