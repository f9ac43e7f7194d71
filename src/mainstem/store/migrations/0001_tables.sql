-- The tables of the history. Each has a key, so that writing a row twice is the same as writing it
-- once; read them through the views. Times are event times. The same statements run in chDB and in
-- a ClickHouse server.

CREATE TABLE IF NOT EXISTS samples (
    sample_id UUID,
    label_version UInt32,
    question_id UUID,
    partition UInt32,
    offset UInt64,
    event_time DateTime64(3, 'UTC'),
    user String,
    source LowCardinality(String),
    outcomes Array(LowCardinality(String)),
    label UInt8,
    weight Float32,
    sampling_probability Float64,
    query String,
    history Array(String),
    item_id String,
    category LowCardinality(String),
    brand LowCardinality(String),
    price_band LowCardinality(String),
    context_text String CODEC(ZSTD(1)),
    item_text String CODEC(ZSTD(1)),
    digest FixedString(32)
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(event_time) ORDER BY (sample_id, label_version);

CREATE TABLE IF NOT EXISTS items (
    item_id String,
    event_time DateTime64(3, 'UTC'),
    event_id String,
    title String,
    category LowCardinality(String),
    brand LowCardinality(String),
    price Nullable(Float64)
) ENGINE = ReplacingMergeTree ORDER BY (item_id, event_time, event_id);

CREATE TABLE IF NOT EXISTS trusted (
    sample_id UUID,
    part LowCardinality(String),
    origin LowCardinality(String), -- assumed (a slice of the stream), planted, graded or confirmed
    label Nullable(UInt8),         -- replaces the label in the log; NULL where nobody gave one
    believed UInt8                 -- 1 unless the origin is assumed
) ENGINE = ReplacingMergeTree(believed) ORDER BY sample_id;

CREATE TABLE IF NOT EXISTS ledger (
    topic LowCardinality(String),
    partition UInt32,
    block UInt64,
    first_offset UInt64,
    next_offset UInt64,
    question UInt64, outcome UInt64, context UInt64, duplicate UInt64, late UInt64,
    rejected UInt64, tick UInt64, control UInt64, accepted UInt64, joined UInt64, revised UInt64,
    orphaned UInt64, parked UInt64, answered UInt64, expired UInt64, open UInt64,
    unknown_item UInt64
) ENGINE = ReplacingMergeTree(next_offset) ORDER BY (topic, partition, block);

CREATE TABLE IF NOT EXISTS rejected (
    topic LowCardinality(String),
    partition UInt32,
    offset UInt64,
    reason String,
    path String,
    digest String,
    body String
) ENGINE = ReplacingMergeTree ORDER BY (topic, partition, offset);

CREATE TABLE IF NOT EXISTS responses (
    sample_id UUID,
    label_version UInt32,
    version UInt32,
    partition UInt32,
    offset UInt64,
    event_time DateTime64(3, 'UTC'),
    label UInt8,
    part LowCardinality(String),
    norm Float32,
    scale Float32,
    loss Float32,
    margin Float32,
    -- cosine with the trusted gradient; NULL where there was none, or where the norm is 0
    alignment Nullable(Float32)
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(event_time) ORDER BY (sample_id, label_version, version);

-- Sketches are apart from responses because they take most bytes of a visit and are deleted first.
-- They expire by the time of writing, not by event time: a replay of an old log would lose them at
-- once. Their numbers have no more digits than float16, so that they compress well.
CREATE TABLE IF NOT EXISTS sketches (
    sample_id UUID,
    label_version UInt32,
    version UInt32,
    partition UInt32,
    offset UInt64,
    event_time DateTime64(3, 'UTC'),
    scale Float32,
    sketch Array(Float32) CODEC(ZSTD(1)),
    written DateTime DEFAULT now()
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(event_time) ORDER BY (sample_id, label_version, version)
TTL written + INTERVAL 30 DAY;

CREATE TABLE IF NOT EXISTS judgements (
    partition UInt32,
    judgement UInt64,
    version UInt32,
    event_time DateTime64(3, 'UTC'),
    core UInt64, edge UInt64, contradictory UInt64, spent UInt64,
    canaries UInt64,
    core_level Nullable(Float64),
    verdict String
) ENGINE = ReplacingMergeTree ORDER BY (partition, judgement);

CREATE TABLE IF NOT EXISTS standings (
    sample_id UUID,
    label_version UInt32,
    partition UInt32,
    judgement UInt64,
    version UInt32,
    standing LowCardinality(String),
    reason LowCardinality(String),
    p_value Nullable(Float64),
    evidence Nullable(Float64),
    importance Float64,
    margin Float64,
    visits UInt32,
    alignment Nullable(Float32),
    importance_of_mean Nullable(Float64)
) ENGINE = ReplacingMergeTree(judgement) ORDER BY sample_id;

CREATE TABLE IF NOT EXISTS moves (
    sample_id UUID,
    label_version UInt32,
    partition UInt32,
    judgement UInt64,
    version UInt32,
    event_time DateTime64(3, 'UTC'),
    before LowCardinality(String),
    standing LowCardinality(String),
    reason LowCardinality(String),
    p_value Nullable(Float64),
    evidence Nullable(Float64),
    importance Float64,
    margin Float64,
    visits UInt32,
    alignment Nullable(Float32),
    importance_of_mean Nullable(Float64)
) ENGINE = ReplacingMergeTree ORDER BY (sample_id, label_version, judgement);

CREATE TABLE IF NOT EXISTS versions (
    version UInt32,
    parent Nullable(UInt32),
    event_time DateTime64(3, 'UTC'),
    promoted UInt8,
    reason String,
    model String,
    digest String
) ENGINE = ReplacingMergeTree ORDER BY version;

CREATE TABLE IF NOT EXISTS rounds (
    version UInt32,
    parent UInt32,
    event_time DateTime64(3, 'UTC'),
    offsets Array(UInt64),
    drawn UInt64, drawn_core UInt64, drawn_edge UInt64,
    cold UInt8,
    steps UInt64, epochs UInt32,
    judged_on LowCardinality(String),
    auc_before Nullable(Float64), auc_after Nullable(Float64),
    log_loss_before Nullable(Float64), log_loss_after Nullable(Float64),
    promoted UInt8,
    reason String
) ENGINE = ReplacingMergeTree ORDER BY version;

CREATE TABLE IF NOT EXISTS draws (
    version UInt32,
    sample_id UUID,
    label_version UInt32,
    standing LowCardinality(String),
    probability Float64
) ENGINE = ReplacingMergeTree ORDER BY (sample_id, label_version, version);

CREATE TABLE IF NOT EXISTS evaluations (
    version UInt32,
    round UInt32,
    slice LowCardinality(String),
    samples UInt64,
    auc Nullable(Float64),
    log_loss Nullable(Float64)
) ENGINE = ReplacingMergeTree ORDER BY (version, round, slice);
