-- What scoring workers did beside what the schedule says, in its order: with the positions of the samples and the settings
-- it tells everything that their rows depend on. A turn is written before what it tells is done; whoever takes a partition
-- over leaves of the last turn only what was done. An embedded history has none: there rounds tell it.

CREATE TABLE IF NOT EXISTS turns (
    partition UInt32,
    number UInt32,                 -- in the order of the partition
    position UInt64,               -- of the next sample there
    version UInt32,                -- that scores from here on, or is to be judged by
    kind Enum8('take over' = 1, 'take up' = 2, 'again' = 3, 'judge' = 4),
    samples Array(UUID)            -- that this version scores again, here
) ENGINE = ReplacingMergeTree ORDER BY (partition, number);
