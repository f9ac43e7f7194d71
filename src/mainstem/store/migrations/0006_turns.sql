-- What scoring workers did that the schedule does not determine, in order. Together with the
-- positions of the samples and the settings, turns determine the rows of the workers. A worker
-- writes a turn before it does the work; the next owner of the partition cuts the last turn down to
-- the work that was done. An embedded history has no turns: there the rounds say as much.

CREATE TABLE IF NOT EXISTS turns (
    partition UInt32,
    number UInt32,                 -- number of the turn in its partition
    position UInt64,               -- position of the next sample
    version UInt32,                -- version that scores from here on, or that the judgement uses
    kind Enum8('take over' = 1, 'take up' = 2, 'again' = 3, 'judge' = 4),
    samples Array(UUID)            -- samples that this version scores again
) ENGINE = ReplacingMergeTree ORDER BY (partition, number);
