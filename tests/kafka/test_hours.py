"""An hour becomes parts below a megabyte and a closing record, and comes back as it was."""

from mainstem.behaviour import Count, Hour
from mainstem.kafka.hours import CountsPart, HourClosed, decode_hour, encode_hour


def hour(*keys: str, **more: int) -> Hour:
    """Return an hour with one count for each key."""
    counts = [Count("item", key, "", 1, 2, 3, 4, 5, 6, 0) for key in keys]
    return Hour(partition=3, first=7, hour=9, counts=counts, **more)


def test_an_hour_comes_back_as_it_was() -> None:
    """The parts hold all rows in order, and the closing record counts parts and rows."""
    made = hour(*(f"item {number}" for number in range(4500)), uncounted=5)
    *parts, closing = map(decode_hour, encode_hour(made))
    assert [0, 1, 2] == [part.part for part in parts if isinstance(part, CountsPart)]
    assert made.counts == [row for part in parts for row in part.counts]
    assert {(3, 7)} == {(part.partition, part.first) for part in parts}
    assert isinstance(closing, HourClosed)
    assert (3, 7, 9, 3, 4500, 5) == (
        *(closing.partition, closing.first, closing.hour),
        *(closing.parts, closing.rows, closing.uncounted),
    )
    assert {closing.digest} == {part.digest for part in parts}


def test_no_part_is_larger_than_a_broker_accepts() -> None:
    """Rows with the longest names and categories are cut into small enough parts."""
    made = hour(*("\x00" * 4096 for _ in range(300)))
    values = encode_hour(made)
    assert max(map(len, values)) < 300_000
    assert made.counts == [row for value in values[:-1] for row in decode_hour(value).counts]


def test_an_hour_without_counts_is_one_record() -> None:
    """An hour without counts has no parts."""
    [closing] = map(decode_hour, encode_hour(hour()))
    assert (0, 0) == (closing.parts, closing.rows)


def test_the_digest_tells_other_rows_apart() -> None:
    """The same hour gives the same records, and other rows give another digest."""
    assert encode_hour(hour("a", "b")) == encode_hour(hour("a", "b"))
    assert 3 == len({decode_hour(encode_hour(hour(*keys))[-1]).digest for keys in ("", "a", "ab")})
