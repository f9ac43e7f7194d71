-- The features of a sample, written once when the sample is first accepted and used ever after: a
-- model learns from what it saw. Later label versions of the sample have the same features.

CREATE TABLE IF NOT EXISTS features (
    sample_id UUID,
    event_time DateTime64(3, 'UTC'),
    partition UInt32,
    offset UInt64,                 -- position of the sample when it was first accepted
    names LowCardinality(String),  -- names of the values in order, with commas between
    values Array(Float32) CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(event_time) ORDER BY sample_id;
