-- Where an accepted sample stands in its partition: how many were accepted before it. Beside Kafka a record is delivered
-- again after a crash, so its offset counts nothing; whoever scores writes positions, after the responses and before the
-- commit. An embedded history has none of these rows: there `samples.offset` is the position.

CREATE TABLE IF NOT EXISTS positions (
    partition UInt32,
    position UInt64,
    sample_id UUID,
    label_version UInt32,
    event_time DateTime64(3, 'UTC'),
    offset UInt64                  -- of the record in topic `samples` that brought it first
) ENGINE = ReplacingMergeTree ORDER BY (partition, position, sample_id, label_version);

-- the order in which samples were accepted, of either kind of history
CREATE OR REPLACE VIEW accepted_samples AS
SELECT partition, position, sample_id, label_version, event_time, offset FROM positions FINAL
UNION ALL
SELECT partition, offset AS position, sample_id, label_version, event_time, offset FROM samples FINAL
WHERE partition NOT IN (SELECT partition FROM positions);
