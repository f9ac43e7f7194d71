-- How old the text of a sample is, and how old its score. A sample keeps the text that its item had
-- at the moment of the question; the catalogue goes on.

-- What the catalogue had told by the newest question. An embedded history holds the whole log's
-- items from the start.
CREATE OR REPLACE VIEW items_so_far AS
SELECT * FROM items FINAL WHERE event_time <= (SELECT max(event_time) FROM samples);

-- The samples that count as signs of life of their items.
CREATE OR REPLACE VIEW samples_so_far AS SELECT item_id, source, event_time FROM samples;

-- One row for each time that an item's words changed, the first description among them. Words are
-- those of title, category and brand, each once, whatever the case of Latin letters; a new price changes none.
CREATE OR REPLACE VIEW texts_of_item AS
SELECT item_id, event_time, event_id, text, words
FROM (
    SELECT
        *, lagInFrame(words) OVER (
            PARTITION BY item_id ORDER BY event_time, event_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before
    FROM (
        SELECT
            item_id, event_time, event_id,
            concat(title, if(category = '', '', ' | '), category,
                   if(brand = '', '', ' | '), brand) AS text,
            arraySort(arrayDistinct(splitByNonAlpha(lower(text)))) AS words
        FROM items_so_far))
WHERE words != before;

-- Samples whose item has other words now than theirs. `changed`: of the words of either text, the
-- share that is not in both. `since`: event time of the first other words after the question.
CREATE OR REPLACE VIEW changed_texts AS
SELECT
    sample_id, item_id, event_time, own_text, text_now,
    1 - length(arrayIntersect(own, newest))
        / length(arrayDistinct(arrayConcat(own, newest))) AS changed,
    arrayFirst(time -> time > event_time, times) AS since
FROM (
    SELECT
        sample_id, item_id, event_time,
        -- without the price band, which ends the text
        substring(item_text, 1, length(item_text)
            - if(price_band = '', 0, length(concat(' | price ', price_band)))) AS own_text,
        arraySort(arrayDistinct(splitByNonAlpha(lower(own_text)))) AS own
    FROM samples_now WHERE source != 'labelled' AND item_id != '') AS s
INNER JOIN (
    SELECT
        item_id, argMax(text, (event_time, event_id)) AS text_now,
        argMax(words, (event_time, event_id)) AS newest,
        arraySort(groupArray(event_time)) AS times
    FROM texts_of_item GROUP BY item_id HAVING count() > 1) AS i
    USING (item_id)
WHERE own != newest AND arrayExists(time -> time > event_time, times);

-- When an item was last described or asked about. An item that was drawn as a negative was not seen,
-- and labelled texts are no texts of the catalogue.
CREATE OR REPLACE VIEW items_seen AS
SELECT item_id, max(event_time) AS last_seen
FROM (
    SELECT item_id, event_time FROM items_so_far
    UNION ALL
    SELECT item_id, event_time FROM samples_so_far
    WHERE source NOT IN ('drawn', 'labelled') AND item_id != '')
GROUP BY item_id;

-- The score that a sample's figures end with: the version that scored it last, how many versions
-- were promoted since, and when the score was made, which is when the sample came or, if the version
-- is newer, when that was made. `days` of event time have passed since, up to the newest question.
CREATE OR REPLACE VIEW score_age AS
SELECT
    sample_id, scored_by,
    arrayCount(one -> one > scored_by,
        (SELECT groupArray(version) FROM versions FINAL WHERE promoted)) AS versions_behind,
    greatest(asked, made) AS scored_at,
    -- subtle: a scalar is nullable when it is read, and the server refuses that in a view
    greatest(0, dateDiff('millisecond', scored_at,
        assumeNotNull((SELECT max(event_time) FROM samples)))) / 86400000 AS days
FROM (
    SELECT sample_id, max(version) AS scored_by, any(r.event_time) AS asked
    FROM responses_now AS r GROUP BY sample_id) AS r
LEFT JOIN (SELECT version, event_time AS made FROM versions FINAL) AS v ON r.scored_by = v.version;
