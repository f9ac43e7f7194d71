-- The figures that the visits of a sample add up to, each defined once. If a label is revised to
-- another answer, the figures start again; if it is revised to the same answer, they go on. Of two
-- responses by one version to the same answer the first is the visit. The rows of a scoring worker
-- hold the same figures in memory; a standing and a move keep the figures at their judgement.

-- One row per sample. `in_order` holds its responses ordered by (label_version, version), each as
-- (label_version, version, label, offset, importance_seen, margin, alignment). `measured` holds the
-- rest of each response, apart so that only queries that ask for it read it. Every other array has
-- one value per response. `answer`: place of the first response to the same answer. `counts`:
-- whether the response is a visit. `so_far`: the responses from that first one up to this one, as
-- (place, how many).
-- subtle: nested steps, because the engine copies an expression to every use of its alias and then
-- takes longer to plan than to read.
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
                arrayEnumerate(labels), labels,
                arrayPushFront(arrayPopBack(labels), labels[1])) AS answer
        FROM (
            SELECT *, in_order.3 AS labels
            FROM (
                SELECT
                    sample_id, any(r.partition) AS partition, any(r.event_time) AS event_time,
                    arraySort(groupArray(
                        (label_version, version, label, offset, importance_seen, margin, alignment)
                    )) AS in_order,
                    arraySort(groupArray((label_version, version, norm, scale, loss))) AS measured
                FROM responses_now AS r GROUP BY sample_id))));

-- One row per response; a response that is no visit repeats the figures of the visit before it.
CREATE OR REPLACE VIEW importance_of_sample AS
SELECT
    sample_id, one.1 AS label_version, one.2 AS version, event_time, other.3 AS norm,
    other.4 AS scale, other.5 AS loss, one.6 AS margin, one.7 AS alignment, visit, importance,
    running_margin, running_alignment, one.3 AS label, one.5 AS importance_seen, answer, counts
FROM visits_of_sample
ARRAY JOIN
    in_order AS one, measured AS other, visit, importance, running_margin, running_alignment,
    answer, counts;

-- The same rows with a figure from their sketches, which is NULL where the sketch has expired. The
-- mean is over sketches of one length.
CREATE OR REPLACE VIEW importance_of_mean_of_sample AS
SELECT
    sample_id, label_version, version, event_time, visit,
    if(
        empty(scaled), NULL,
        sqrt(arraySum(each -> each * each, avgForEachIf(scaled, counts) OVER visits))
    ) AS importance_of_mean,
    norm, scale, loss, margin, alignment, importance, running_margin, running_alignment, label,
    importance_seen, answer, counts
FROM importance_of_sample AS v
LEFT JOIN (
    SELECT sample_id, label_version, version, arrayMap(each -> each / scale, sketch) AS scaled
    FROM sketches_now) AS s
    USING (sample_id, label_version, version)
WINDOW visits AS (
    PARTITION BY sample_id, answer, length(scaled)
    ORDER BY label_version, version ROWS UNBOUNDED PRECEDING);

-- The first and the last visit to the newest answer.
CREATE OR REPLACE VIEW risers_and_fallers AS
SELECT
    sample_id, (in_order.1)[-1] AS label_version, visit[-1] AS visits,
    (in_order.5)[answer[-1]] AS first_importance,
    arrayLast((seen, counted) -> counted, in_order.5, counts) AS last_importance,
    last_importance - first_importance AS change
FROM visits_of_sample WHERE visits > 1;

CREATE OR REPLACE VIEW importance_by AS
SELECT
    toDate(s.event_time) AS day, r.version AS version, s.item_id AS item_id, s.query AS query,
    s.category AS category, s.brand AS brand, s.price_band AS price_band, s.source AS behaviour,
    r.importance_seen AS importance_seen, r.loss AS loss, r.margin AS margin,
    r.alignment AS alignment
FROM responses_now AS r
INNER JOIN (SELECT * FROM samples FINAL) AS s
    ON r.sample_id = s.sample_id AND r.label_version = s.label_version;
