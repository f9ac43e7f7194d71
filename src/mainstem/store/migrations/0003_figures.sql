-- What a sample's visits add up to, each figure defined once. A label that is revised to another answer starts again, one
-- that is revised to the same answer goes on; of two responses by one version to one answer the first is the visit.
-- In memory the rows of a scoring worker hold the same figures; a standing and a move keep those as of their judgement.

-- One row a sample. `in_order`: its responses by (label_version, version), each as (label_version, version, label, offset,
-- importance_seen, margin, alignment); `measured`: what else a response has, apart so that it is read only where it is asked
-- for. Every other array has a value for each of them. `answer`: the place of the first response to the same answer.
-- `counts`: whether it is a visit. `so_far`: from the first to the same answer up to it, as (place, how many).
-- subtle: in steps, for the engine copies an expression wherever its alias stands, and plans for longer than it reads.
CREATE OR REPLACE VIEW visits_of_sample AS
SELECT
    sample_id, partition, event_time, in_order, measured, answer, counts, so_far,
    arrayReduceInRanges('sum', so_far, counts) AS visit,
    arrayReduceInRanges('avgIf', so_far, in_order.5, counts) AS importance,
    arrayReduceInRanges('avgIf', so_far, in_order.6, counts) AS running_margin,
    arrayReduceInRanges('avgIf', so_far, in_order.7, counts) AS running_alignment
FROM (
    SELECT
        *, arrayMap(time -> time = 1, arrayEnumerateUniq(answer, in_order.2)) AS counts,
        arrayZip(answer, arrayEnumerateUniq(answer)) AS so_far
    FROM (
        SELECT
            *, arrayFill((place, label, before) -> label != before,
                arrayEnumerate(labels), labels, arrayPushFront(arrayPopBack(labels), labels[1])) AS answer
        FROM (
            SELECT *, in_order.3 AS labels
            FROM (
                SELECT
                    sample_id, any(r.partition) AS partition, any(r.event_time) AS event_time,
                    arraySort(groupArray(
                        (label_version, version, label, offset, importance_seen, margin, alignment))) AS in_order,
                    arraySort(groupArray((label_version, version, norm, scale, loss))) AS measured
                FROM responses_now AS r GROUP BY sample_id))));

-- one row a response; one that is no visit repeats the figures of the visit before it
CREATE OR REPLACE VIEW importance_of_sample AS
SELECT
    sample_id, one.1 AS label_version, one.2 AS version, event_time, other.3 AS norm, other.4 AS scale, other.5 AS loss,
    one.6 AS margin, one.7 AS alignment, visit, importance, running_margin, running_alignment,
    one.3 AS label, one.5 AS importance_seen, answer, counts
FROM visits_of_sample
ARRAY JOIN in_order AS one, measured AS other, visit, importance, running_margin, running_alignment, answer, counts;

-- the same rows, and what their sketches say: NULL where the sketch has left. The mean is over sketches of one length.
CREATE OR REPLACE VIEW importance_of_mean_of_sample AS
SELECT
    sample_id, label_version, version, event_time, visit,
    if(empty(scaled), NULL, sqrt(arraySum(each -> each * each, avgForEachIf(scaled, counts) OVER visits))) AS importance_of_mean,
    norm, scale, loss, margin, alignment, importance, running_margin, running_alignment, label, importance_seen, answer, counts
FROM importance_of_sample AS v
LEFT JOIN (
    SELECT sample_id, label_version, version, arrayMap(each -> each / scale, sketch) AS scaled FROM sketches_now) AS s
    USING (sample_id, label_version, version)
WINDOW visits AS (
    PARTITION BY sample_id, answer, length(scaled) ORDER BY label_version, version ROWS UNBOUNDED PRECEDING);

-- the first and the last visit to the newest answer
CREATE OR REPLACE VIEW risers_and_fallers AS
SELECT
    sample_id, (in_order.1)[-1] AS label_version, visit[-1] AS visits,
    (in_order.5)[answer[-1]] AS first_importance,
    arrayLast((seen, counted) -> counted, in_order.5, counts) AS last_importance,
    last_importance - first_importance AS change
FROM visits_of_sample WHERE visits > 1;

CREATE OR REPLACE VIEW importance_by AS
SELECT
    toDate(s.event_time) AS day, r.version AS version, s.item_id AS item_id, s.query AS query, s.category AS category,
    s.brand AS brand, s.price_band AS price_band, s.source AS behaviour, r.importance_seen AS importance_seen,
    r.loss AS loss, r.margin AS margin, r.alignment AS alignment
FROM responses_now AS r
INNER JOIN (SELECT * FROM samples FINAL) AS s ON r.sample_id = s.sample_id AND r.label_version = s.label_version;
