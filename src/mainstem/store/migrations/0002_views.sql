-- Views for everyday questions. No view shows a row twice, or a row that a newer one replaced.

CREATE OR REPLACE VIEW samples_now AS
SELECT * FROM samples FINAL ORDER BY sample_id, label_version DESC LIMIT 1 BY sample_id;

-- Trusted samples that somebody vouched for; while there are none, slices of the stream stand in.
CREATE OR REPLACE VIEW trusted_now AS
SELECT * FROM trusted FINAL WHERE believed OR (SELECT max(believed) FROM trusted) = 0;

CREATE OR REPLACE VIEW responses_now AS
SELECT *, norm / scale AS importance_seen FROM responses FINAL;

CREATE OR REPLACE VIEW sketches_now AS
SELECT sample_id, label_version, version, partition, offset, event_time, scale, sketch
FROM sketches FINAL;

CREATE OR REPLACE VIEW standings_now AS SELECT * FROM standings FINAL;

CREATE OR REPLACE VIEW moves_now AS SELECT * FROM moves FINAL;

CREATE OR REPLACE VIEW importance_of_sample AS
SELECT
    sample_id, label_version, version, event_time, norm, scale, loss, margin, alignment,
    row_number() OVER visits AS visit,
    avg(norm / scale) OVER visits AS importance,
    avg(margin) OVER visits AS running_margin,
    avg(alignment) OVER visits AS running_alignment
FROM responses FINAL
WINDOW visits AS (PARTITION BY sample_id, label_version ORDER BY version ROWS UNBOUNDED PRECEDING);

-- The mean is over the visits whose sketch has not expired.
CREATE OR REPLACE VIEW importance_of_mean_of_sample AS
SELECT
    sample_id, label_version, version, event_time,
    row_number() OVER visits AS visit,
    sqrt(arraySum(
        one -> one * one, avgForEach(arrayMap(one -> one / scale, sketch)) OVER visits
    )) AS importance_of_mean
FROM sketches FINAL
WINDOW visits AS (PARTITION BY sample_id, label_version ORDER BY version ROWS UNBOUNDED PRECEDING);

CREATE OR REPLACE VIEW importance_by AS
SELECT
    toDate(s.event_time) AS day, r.version AS version, s.item_id AS item_id, s.query AS query,
    s.category AS category, s.brand AS brand, s.price_band AS price_band, s.source AS behaviour,
    r.norm / r.scale AS importance_seen, r.loss AS loss, r.margin AS margin,
    r.alignment AS alignment
FROM (SELECT * FROM responses FINAL) AS r
INNER JOIN (SELECT * FROM samples FINAL) AS s
    ON r.sample_id = s.sample_id AND r.label_version = s.label_version;

CREATE OR REPLACE VIEW importance_of_item AS
SELECT item_id, day, version, count() AS responses, avg(importance_seen) AS importance,
    avg(loss) AS loss, avg(alignment) AS alignment
FROM importance_by GROUP BY item_id, day, version;

CREATE OR REPLACE VIEW importance_of_query AS
SELECT query, day, version, count() AS responses, avg(importance_seen) AS importance,
    avg(loss) AS loss, avg(alignment) AS alignment
FROM importance_by GROUP BY query, day, version;

CREATE OR REPLACE VIEW importance_of_category AS
SELECT category, day, version, count() AS responses, avg(importance_seen) AS importance,
    avg(loss) AS loss, avg(alignment) AS alignment
FROM importance_by GROUP BY category, day, version;

CREATE OR REPLACE VIEW importance_of_brand AS
SELECT brand, day, version, count() AS responses, avg(importance_seen) AS importance,
    avg(loss) AS loss, avg(alignment) AS alignment
FROM importance_by GROUP BY brand, day, version;

CREATE OR REPLACE VIEW importance_of_price_band AS
SELECT price_band, day, version, count() AS responses, avg(importance_seen) AS importance,
    avg(loss) AS loss, avg(alignment) AS alignment
FROM importance_by GROUP BY price_band, day, version;

CREATE OR REPLACE VIEW importance_of_behaviour AS
SELECT behaviour, day, version, count() AS responses, avg(importance_seen) AS importance,
    avg(loss) AS loss, avg(alignment) AS alignment
FROM importance_by GROUP BY behaviour, day, version;

CREATE OR REPLACE VIEW sets AS
SELECT
    if(standing = 'noise', reason, standing) AS set, count() AS samples,
    avg(importance) AS importance, avg(importance_of_mean) AS importance_of_mean,
    avg(alignment) AS alignment
FROM standings FINAL GROUP BY set;

CREATE OR REPLACE VIEW sets_by_day AS
SELECT
    toDate(s.event_time) AS day, if(t.standing = 'noise', t.reason, t.standing) AS set,
    count() AS samples
FROM (SELECT * FROM standings FINAL) AS t
INNER JOIN samples_now AS s ON t.sample_id = s.sample_id
GROUP BY day, set;

CREATE OR REPLACE VIEW risers_and_fallers AS
SELECT
    sample_id, label_version,
    count() AS visits,
    argMin(norm / scale, version) AS first_importance,
    argMax(norm / scale, version) AS last_importance,
    last_importance - first_importance AS change
FROM responses FINAL GROUP BY sample_id, label_version HAVING visits > 1;

CREATE OR REPLACE VIEW contradictory_by_source AS
SELECT
    s.source AS source, count() AS samples, countIf(t.reason = 'contradictory') AS contradictory,
    contradictory / samples AS share
FROM (SELECT * FROM standings FINAL) AS t
INNER JOIN samples_now AS s ON t.sample_id = s.sample_id
GROUP BY source;

CREATE OR REPLACE VIEW score_age AS
SELECT
    sample_id, max(version) AS scored_by,
    (SELECT max(version) FROM versions FINAL WHERE promoted) - scored_by AS versions_behind
FROM responses FINAL GROUP BY sample_id;

CREATE OR REPLACE VIEW versions_of_sample AS
SELECT
    d.sample_id AS sample_id, d.label_version AS label_version, d.version AS version,
    d.standing AS drawn_from, v.promoted AS promoted
FROM (SELECT * FROM draws FINAL) AS d
INNER JOIN (SELECT * FROM versions FINAL) AS v ON d.version = v.version;

CREATE OR REPLACE VIEW watermarks AS
SELECT
    (SELECT max(event_time) FROM samples) AS event,
    (SELECT max(event_time) FROM responses) AS scored,
    (SELECT max(event_time) FROM responses
     WHERE (sample_id, label_version) IN (SELECT sample_id, label_version FROM draws)) AS trained,
    (SELECT max(event_time) FROM versions WHERE promoted) AS promoted;
