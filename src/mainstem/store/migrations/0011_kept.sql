-- What a visit keeps beside its figures, and the labels of trusted samples side by side.

-- The logits that the loss was taken of, those of all objectives, at the position of the sample.
-- Empty where the model has more than eight, and in rows from before.
ALTER TABLE responses ADD COLUMN IF NOT EXISTS logits Array(Float32);

-- Made again, because a view keeps the columns that its table had.
CREATE OR REPLACE VIEW responses_now AS
SELECT *, norm / scale AS importance_seen FROM responses FINAL;

-- What the head of a version read of a sample. Like sketches, representations are apart from
-- responses and expire by the time of writing. They are float16 in little endian, which the engine
-- has no type for, so they are kept as bytes.
CREATE TABLE IF NOT EXISTS representations (
    sample_id UUID,
    label_version UInt32,
    version UInt32,
    partition UInt32,
    offset UInt64,
    event_time DateTime64(3, 'UTC'),
    bytes String CODEC(ZSTD(1)),
    lifetime UInt32,               -- seconds from the time of writing
    written DateTime DEFAULT now()
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(event_time) ORDER BY (sample_id, label_version, version)
TTL written + toIntervalSecond(lifetime);

CREATE OR REPLACE VIEW representations_now AS
SELECT
    sample_id, label_version, version, partition, offset, event_time,
    arrayMap(
        half -> toFloat32(if(half >= 32768, -1, 1) * if(
            intDiv(half, 1024) % 32 = 0,
            exp2(-24) * (half % 1024),
            exp2(toInt32(intDiv(half, 1024) % 32) - 25) * (1024 + half % 1024))),
        halves
    ) AS values
FROM (
    SELECT
        *, arrayMap(
            place -> reinterpretAsUInt16(substring(bytes, 2 * place + 1, 2)),
            range(intDiv(length(bytes), 2))
        ) AS halves
    FROM representations FINAL);

-- Samples whose label somebody vouched for: the label that the log gave, at its newest label
-- version, and the confirmed one. The log gave none to a graded pair.
CREATE OR REPLACE VIEW trusted_labels AS
SELECT
    t.sample_id AS sample_id, t.part AS part, s.partition AS partition, t.origin AS origin,
    if(t.origin = 'graded', NULL, s.label) AS given, assumeNotNull(t.label) AS confirmed
FROM (SELECT * FROM trusted FINAL WHERE label IS NOT NULL) AS t
INNER JOIN samples_now AS s ON t.sample_id = s.sample_id;
