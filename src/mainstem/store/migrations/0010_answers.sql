-- An answer is all targets of a sample, not its label alone: with several objectives a purchase may
-- change a sample that a click had answered with the same label. `answer_code` is a number for the
-- targets: the label itself where it is the only one, as in all rows from before.

ALTER TABLE responses ADD COLUMN IF NOT EXISTS answer_code UInt32 DEFAULT label;

-- Made again, because a view keeps the columns that its table had.
CREATE OR REPLACE VIEW responses_now AS
SELECT *, norm / scale AS importance_seen FROM responses FINAL;

-- As before, with answers told apart by their codes, the eighth part of `in_order`.
-- subtle: the pattern also fits a history without the column, which a command that only asks does
-- not migrate; the label is never larger than the code.
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
            *, arrayFill((place, code, before) -> code != before,
                arrayEnumerate(codes), codes,
                arrayPushFront(arrayPopBack(codes), codes[1])) AS answer
        FROM (
            SELECT *, in_order.8 AS codes
            FROM (
                SELECT
                    sample_id, any(r.partition) AS partition, any(r.event_time) AS event_time,
                    arraySort(groupArray(
                        (label_version, version, label, offset, importance_seen, margin, alignment,
                         arrayMax([COLUMNS('^(label|answer_code)$')]))
                    )) AS in_order,
                    arraySort(groupArray((label_version, version, norm, scale, loss))) AS measured
                FROM responses_now AS r GROUP BY sample_id))));
