-- A Chinese character is a word by itself, as in the features and for the tokenizer, so that a title
-- with one other character has not changed as a whole.

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
            arraySort(arrayDistinct(splitByNonAlpha(
                replaceRegexpAll(lower(text), '\\p{Han}', ' \\0 ')))) AS words
        FROM items_so_far))
WHERE words != before;

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
        arraySort(arrayDistinct(splitByNonAlpha(
            replaceRegexpAll(lower(own_text), '\\p{Han}', ' \\0 ')))) AS own
    FROM samples_now WHERE source != 'labelled' AND item_id != '') AS s
INNER JOIN (
    SELECT
        item_id, argMax(text, (event_time, event_id)) AS text_now,
        argMax(words, (event_time, event_id)) AS newest,
        arraySort(groupArray(event_time)) AS times
    FROM texts_of_item GROUP BY item_id HAVING count() > 1) AS i
    USING (item_id)
WHERE own != newest AND arrayExists(time -> time > event_time, times);
