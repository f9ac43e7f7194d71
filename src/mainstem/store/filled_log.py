"""A made-up log in the history, with its trusted slices and a visit of each sample, for a bench."""

from typing import Final

from mainstem.store.store import Store

__all__ = ["fill_log"]

_BEGIN: Final = 1_291_161_600_000  # 2010-12-01
_ITEMS: Final = 10  # of a question
_SAMPLES: Final = f"""
    INSERT INTO samples (sample_id, label_version, question_id, partition, offset, event_time,
                         source, label, targets, weight, sampling_probability, query, item_id,
                         category, context_text, item_text, position)
    WITH intDiv(number, {_ITEMS}) AS question, sipHash64(number) AS chance
    SELECT reinterpretAsUUID(concat(reinterpretAsFixedString(chance),
                                    reinterpretAsFixedString(number))), 0,
           reinterpretAsUUID(concat(reinterpretAsFixedString(sipHash64('question', question)),
                                    reinterpretAsFixedString(question))),
           0, number,
           fromUnixTimestamp64Milli(toInt64({_BEGIN} + intDiv(
               question * {_ITEMS} * {{span:Int64}}, {{rows:Int64}}))),
           'impression', chance % {_ITEMS} = 0, [toFloat32(chance % {_ITEMS} = 0)], 1, 1,
           concat('query ', toString(question % 5000)), concat('item ', toString(chance % 4000)),
           concat('category ', toString(chance % 50)), concat('query ', toString(question % 5000)),
           concat('item ', toString(chance % 4000)), number % {_ITEMS}
    FROM numbers({{rows:UInt64}})"""
_TRUSTED: Final = """
    INSERT INTO trusted (sample_id, part, origin, label, believed)
    WITH sipHash64('part', question_id) / exp2(64) AS chance
    SELECT sample_id, multiIf(
               chance < {direction:Float64}, 'direction',
               chance < {direction:Float64} + {canary:Float64}, 'canary', 'gate'),
           'assumed', NULL, 0
    FROM samples WHERE chance < {direction:Float64} + {canary:Float64} + {gate:Float64}"""
_RESPONSES: Final = """
    INSERT INTO responses (sample_id, label_version, version, partition, offset, event_time, label,
                           part, norm, scale, loss, margin, logits)
    SELECT s.sample_id, 0, 0, s.partition, s.offset, s.event_time, s.label,
           if(t.part = '', 'stream', t.part), 1, 1, 0.5, 0.1, [0, 0]
    FROM samples AS s LEFT JOIN trusted AS t ON s.sample_id = t.sample_id
    WHERE t.part NOT IN ('direction', 'gate')"""


def fill_log(store: Store, rows: int, days: int, shares: tuple[float, float, float]) -> int:
    """Fill an empty history with samples of one partition, each scored once, by version 0.

    Ten samples belong to a question. Questions lie evenly over the days.

    Args:
        store: the history.
        rows: how many samples to make.
        days: days of event time from the first to the last.
        shares: shares of direction, canaries and gate, which slices of the stream stand in for.

    Returns:
        The event time of the newest sample, in milliseconds.
    """
    direction, canary, gate = shares
    store.execute(_SAMPLES, rows=rows, span=days * 86_400_000)
    store.execute(_TRUSTED, direction=direction, canary=canary, gate=gate)
    store.execute(_RESPONSES)
    [(newest,)] = store.rows("SELECT toUnixTimestamp64Milli(max(event_time)) FROM samples")
    return int(newest)
