"""Random counts and samples, and the sums of features counted again in plain Python."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from mainstem.behaviour import HOUR, Count, query_key
from mainstem.join import Sample
from mainstem.store import Store

LAST = 500_000
"""Hour at which random samples end; their counts lie in the hundred days before."""
_OUTCOMES = ("shown", "clicked", "carted", "purchased", "returned")


class Row(NamedTuple):
    """A row of table `counts`."""

    partition: int
    hour: int
    count: Count


def sample(number: int = 0, **fields: object) -> Sample:
    """A sample with these fields, and plain values in the others."""
    values: dict[str, object] = {
        "sample_id": UUID(int=number + 1),
        "label_version": 0,
        "question_id": UUID(int=number + 1),
        "event_time": (LAST + 1) * HOUR,
        "user": "pseudonym",
        "source": "impression",
        "outcomes": (),
        "label": 0,
        "weight": 1.0,
        "sampling_probability": 1.0,
        "query": "",
        "history": (),
        "item_id": "a",
        "category": "",
        "brand": "",
        "price_band": "",
        "context_text": "",
        "item_text": "red cup",
    }
    return Sample(**(values | fields))  # type: ignore[arg-type]  # by name


def count(kind: str, key: str, other: str = "", **counts: int) -> Count:
    """A count that is 0 but for the given fields."""
    fields = dict.fromkeys(("position", *_OUTCOMES, "shoppers"), 0)
    return Count(kind, key, other, **(fields | counts))


def write_counts(store: Store, rows: Iterable[Row]) -> None:
    """Write rows of table `counts`."""
    rows = list(rows)
    columns: dict[str, list[object]] = {
        name: [getattr(row.count, name) for row in rows] for name in Count.__struct_fields__
    }
    columns["partition"] = [row.partition for row in rows]
    columns["hour"] = [row.hour for row in rows]
    store.write("counts", columns)


def random_rows(seed: int, size: int = 1500) -> list[Row]:
    """Counts of few keys in many hours, on three partitions."""
    chosen = random.Random(seed)
    rows = {}
    for _ in range(size):
        kind = chosen.choice(("item", "item", "category", "query", "query_item", "pair"))
        key, other = _key(kind, chosen)
        position = chosen.choice((0, 1, 2, 50, 70)) if kind not in {"query", "pair"} else 0
        row = Row(
            chosen.randrange(3),
            LAST - chosen.choice((chosen.randrange(60), chosen.randrange(2400))),
            count(
                kind,
                key,
                other,
                position=position,
                **{one: chosen.randrange(4) for one in _OUTCOMES},
                shoppers=chosen.randrange(6) if kind == "query" else 0,
            ),
        )
        rows[row.partition, row.hour, kind, key, other, position] = row
    return list(rows.values())


def random_samples(seed: int, size: int = 40) -> list[Sample]:
    """Samples whose windows end in different hours, some of them with no query or category."""
    chosen = random.Random(seed)
    return [
        sample(
            number,
            event_time=(LAST + 1) * HOUR - chosen.randrange(70 * HOUR),
            item_id=chosen.choice("abcd"),
            history=tuple(chosen.sample("abcdx", chosen.randrange(5))),
            category=chosen.choice(("", "cups", "mugs")),
            query=chosen.choice(("", "red cup", "mug")),
        )
        for number in range(size)
    ]


def recounted(
    rows: Sequence[Row], one: Sample, kind: str, key: str, other: str, days: int, lag: int = HOUR
) -> Counter[str]:
    """The sums of one key over one window, and of its positions, row by row."""
    end = (one.event_time - lag) // HOUR
    first = end - 24 * days
    if kind in {"query", "query_item"}:
        end = end // 24 * 24
    asked = Counter({(row.count.key, row.hour // 24): 0 for row in rows})
    for row in rows:
        if row.count.kind == "query":
            asked[row.count.key, row.hour // 24] += row.count.shoppers
    found: Counter[str] = Counter()
    for row in rows:
        if (kind, key, other) != (
            row.count.kind,
            row.count.key,
            row.count.other,
        ) or not first <= row.hour < end:
            continue
        if kind in {"query", "query_item"} and asked[key, row.hour // 24] < 5:
            continue
        for name in _OUTCOMES:
            found[name] += getattr(row.count, name)
        if row.count.position:
            place = min(row.count.position, 50)
            found[f"shown at {place}"] += row.count.shown
            found["clicked where shown"] += row.count.clicked
    return found


def expected_clicks(
    rows: Sequence[Row], one: Sample, found: Counter[str], lag: int = HOUR
) -> float:
    """Clicks that positions explain, out of the sums of `recounted`."""
    end = (one.event_time - lag) // HOUR
    shown, clicked = Counter[int](), Counter[int]()
    for row in rows:
        if row.count.kind == "category" and end - 2160 <= row.hour < end:
            shown[min(row.count.position, 50)] += row.count.shown
            clicked[min(row.count.position, 50)] += row.count.clicked
    return sum(
        found[f"shown at {place}"] * (clicked[place] + 1) / (shown[place] + 10)
        for place in range(1, 51)
    )


def recounted_shop(rows: Sequence[Row], one: Sample, days: int) -> int:
    """How often anything was put into a cart in a window, row by row."""
    end = one.event_time // HOUR - 1
    kinds = [row for row in rows if row.count.kind == "category"]
    return sum(row.count.carted for row in kinds if end - 24 * days <= row.hour < end)


def key_of(one: Sample, kind: str) -> tuple[str, str]:
    """Key of a sample in the counts of one kind."""
    digest = query_key(one.query)
    keys = {
        "item": (one.item_id, ""),
        "category": (one.category, ""),
        "query": (digest, ""),
        "query_item": (digest, one.item_id),
    }
    return keys[kind]


def _key(kind: str, chosen: random.Random) -> tuple[str, str]:
    item, digest = chosen.choice("abcdx"), query_key(chosen.choice(("red cup", "mug", "plate")))
    if kind == "pair":
        first, second = sorted(chosen.sample("abcdx", 2))
        return first, second
    return {
        "item": (item, ""),
        "category": (chosen.choice(("cups", "mugs")), ""),
        "query": (digest, ""),
        "query_item": (digest, item),
    }[kind]
