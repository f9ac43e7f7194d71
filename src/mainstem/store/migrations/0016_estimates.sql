-- What estimators in shadow say of samples, beside the acting one. The tables and views are empty
-- where `importance.shadow` has been empty always.

-- A figure after the visit of a sample by a version. An estimator without a figure has no row. The
-- acting estimator, `response_norm`, has rows too, so that all are compared at the same moment.
CREATE TABLE IF NOT EXISTS estimates (
    sample_id UUID,
    label_version UInt32,
    version UInt32,                -- the version of the newest visit
    estimator LowCardinality(String),
    value Float64,                 -- higher would sooner be core
    partition UInt32,
    offset UInt64,
    event_time DateTime64(3, 'UTC')
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(event_time) ORDER BY (sample_id, label_version, version, estimator);

CREATE OR REPLACE VIEW estimates_now AS SELECT * FROM estimates FINAL;

-- The newest figures of each sample, with its standing: those of the visit that the acting estimator
-- counted last, so that no figure of an earlier label or visit is told.
CREATE OR REPLACE VIEW estimates_of_sample AS
SELECT
    e.sample_id AS sample_id, e.estimator AS estimator, e.value AS value, e.version AS version,
    e.partition AS partition, e.offset AS offset, s.standing AS standing
FROM estimates_now AS e
INNER JOIN (
    SELECT sample_id, max((label_version, version)) AS newest
    FROM estimates_now WHERE estimator = 'response_norm' GROUP BY sample_id) AS n
    ON e.sample_id = n.sample_id
LEFT JOIN standings_now AS s ON e.sample_id = s.sample_id
WHERE (e.label_version, e.version) = n.newest;

-- Which samples an estimator would call core: the highest of those that are not noise, as many as
-- there are in core.
CREATE OR REPLACE VIEW shadow_sets AS
SELECT
    *, standing != 'noise' AND place <= core AS would_be_core
FROM (
    SELECT
        *, countIf(standing = 'core') OVER (PARTITION BY estimator) AS core,
        row_number() OVER (
            PARTITION BY estimator, standing = 'noise' ORDER BY value DESC, sample_id) AS place
    FROM estimates_of_sample);

CREATE OR REPLACE VIEW shadow_overlap AS
SELECT
    estimator, count() AS samples, countIf(t.standing = 'core') AS core,
    countIf(t.would_be_core) AS would_be_core,
    countIf(t.would_be_core AND t.standing = 'core') AS both,
    if(would_be_core = 0, NULL, both / would_be_core) AS overlap
FROM shadow_sets AS t GROUP BY estimator;

-- Spearman's rank correlation of two estimators, over the samples that have figures of both.
CREATE OR REPLACE VIEW shadow_correlations AS
SELECT
    estimator, other, count() AS samples,
    if(isFinite(corr(mine, its)), corr(mine, its), NULL) AS spearman
FROM (
    SELECT
        estimator, other,
        rank() OVER (PARTITION BY estimator, other ORDER BY value)
            + (count() OVER (PARTITION BY estimator, other, value) - 1) / 2 AS mine,
        rank() OVER (PARTITION BY estimator, other ORDER BY other_value)
            + (count() OVER (PARTITION BY estimator, other, other_value) - 1) / 2 AS its
    FROM (
        SELECT
            a.estimator AS estimator, b.estimator AS other, a.value AS value,
            b.value AS other_value
        FROM estimates_of_sample AS a
        INNER JOIN estimates_of_sample AS b ON a.sample_id = b.sample_id
        WHERE a.estimator != b.estimator))
GROUP BY estimator, other;

-- What each estimator would have drawn in the last round that drew: the highest of the samples that
-- had figures by then and are not noise, as many as were drawn of these.
CREATE OR REPLACE VIEW shadow_draws AS
SELECT
    round, estimator, count() AS samples, countIf(was_drawn) AS drawn,
    countIf(place <= all_drawn) AS would_draw,
    countIf(place <= all_drawn AND was_drawn) AS both,
    if(would_draw = 0, NULL, both / would_draw) AS overlap
FROM (
    SELECT
        *, countIf(was_drawn) OVER (PARTITION BY estimator) AS all_drawn,
        row_number() OVER (PARTITION BY estimator ORDER BY value DESC, sample_id) AS place
    FROM (
        SELECT
            r.version AS round, e.estimator AS estimator, e.sample_id AS sample_id,
            e.value AS value,
            e.sample_id IN (
                SELECT sample_id FROM draws FINAL
                WHERE version IN (SELECT max(version) FROM draws)) AS was_drawn
        FROM estimates_now AS e
        CROSS JOIN (
            SELECT version, offsets FROM rounds FINAL
            WHERE version IN (SELECT max(version) FROM draws)) AS r
        WHERE e.version < r.version AND e.offset < r.offsets[e.partition + 1]
        ORDER BY estimator, sample_id, e.label_version DESC, e.version DESC
        LIMIT 1 BY estimator, sample_id)
    WHERE sample_id NOT IN (SELECT sample_id FROM standings_now WHERE standing = 'noise'))
GROUP BY round, estimator;
