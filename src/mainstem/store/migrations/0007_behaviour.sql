-- What shoppers did, by hour of event time, and what a sample tells of its moment. Hours are
-- numbers of hours since 1970 UTC. Each partition of `events` counts its own events; readers add the
-- partitions up.

CREATE TABLE IF NOT EXISTS counts (
    partition UInt32,
    hour UInt32,
    kind LowCardinality(String),   -- item, category, query, query_item or pair
    key String,                    -- item id, category, digest of a query, smaller item id of a pair
    other String,                  -- item id of a query_item, larger item id of a pair
    position UInt32,               -- position in the impression that showed the item; 0 for none
    shown UInt32, clicked UInt32, carted UInt32, purchased UInt32, returned UInt32,
    shoppers UInt32                -- shoppers who asked the query for the first time that UTC day
) ENGINE = ReplacingMergeTree ORDER BY (kind, key, other, hour, partition, position);

-- One row closes the hours from `first` to `hour` of a partition; only `first` may have counts.
CREATE TABLE IF NOT EXISTS hours (
    partition UInt32,
    hour UInt32,
    first UInt32,
    counts UInt64,                 -- number of rows of hour `first` in table `counts`
    uncounted UInt64,              -- events whose hour was closed already when they came
    provisional UInt8              -- 1 if a final tick closed the hours
) ENGINE = ReplacingMergeTree ORDER BY (partition, hour);

ALTER TABLE samples ADD COLUMN IF NOT EXISTS price Float64;

ALTER TABLE samples ADD COLUMN IF NOT EXISTS history_price Float64;

ALTER TABLE samples ADD COLUMN IF NOT EXISTS item_age Int64 DEFAULT -1;

ALTER TABLE samples ADD COLUMN IF NOT EXISTS own_touches UInt32;

ALTER TABLE samples ADD COLUMN IF NOT EXISTS own_purchases UInt32;

ALTER TABLE samples ADD COLUMN IF NOT EXISTS own_last Int64 DEFAULT -1;

-- Made again, because a view keeps the columns that its table had.
CREATE OR REPLACE VIEW samples_now AS
SELECT * FROM samples FINAL ORDER BY sample_id, label_version DESC LIMIT 1 BY sample_id;
