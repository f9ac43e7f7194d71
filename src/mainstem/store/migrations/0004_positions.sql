-- The position of an accepted sample: how many samples of its partition were accepted before it.
-- Offsets cannot say that beside Kafka, which delivers records again after a crash. Scoring workers
-- write positions, after the responses and before the commit. An embedded history has no such rows:
-- there `samples.offset` is the position.

CREATE TABLE IF NOT EXISTS positions (
    partition UInt32,
    position UInt64,
    sample_id UUID,
    label_version UInt32,
    event_time DateTime64(3, 'UTC'),
    offset UInt64                  -- offset of the record in topic `samples` that brought it first
) ENGINE = ReplacingMergeTree ORDER BY (partition, position, sample_id, label_version);

-- The order in which samples were accepted, for either kind of history.
CREATE OR REPLACE VIEW accepted_samples AS
SELECT partition, position, sample_id, label_version, event_time, offset FROM positions FINAL
UNION ALL
SELECT partition, offset AS position, sample_id, label_version, event_time, offset
FROM samples FINAL
WHERE partition NOT IN (SELECT partition FROM positions);
