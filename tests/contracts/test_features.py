"""Counts are added up over windows alike on every engine, whatever the partitions."""

import numpy as np
import pytest
from msgspec.structs import astuple

from mainstem.behaviour import DAYS, FEATURE_NAMES, HOUR, LAST_POSITION, Asked, Count, Sums
from mainstem.join import PlacedSample
from mainstem.scoring.features import features_of, needed, reached, with_features
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.costs import COSTS_OF_VERSIONS
from mainstem.store.features import counted, stored_features
from tests.behaviour.counting import (
    LAST,
    Row,
    count,
    expected_clicks,
    key_of,
    random_rows,
    random_samples,
    recounted,
    recounted_shop,
    sample,
    write_counts,
)

OUTCOMES = ("shown", "clicked", "carted", "purchased", "returned")


def test_sums_equal_those_counted_row_by_row(store: Store) -> None:
    """The sums of all kinds, windows and outcomes are those of a recount, row by row."""
    rows, samples = random_rows(1, 700), random_samples(2, 16)
    write_counts(store, rows)
    write_counts(store, rows[::3])
    asked = Asked.of(samples, HOUR)
    sums = Sums.of(asked, counted(store, asked, LAST_POSITION))
    for kind in ("item", "category", "query_item"):
        for days in DAYS:
            again = [recounted(rows, one, kind, *key_of(one, kind), days) for one in samples]
            for outcome in OUTCOMES:
                found = sums.over(kind, outcome, days).tolist()
                assert [one[outcome] for one in again] == found, (kind, outcome, days)
            clicks, expected = sums.clicks(kind, days)
            assert [one["clicked where shown"] for one in again] == clicks.tolist()
            by_hand = [
                expected_clicks(rows, one, each) for one, each in zip(samples, again, strict=True)
            ]
            np.testing.assert_allclose(expected, by_hand, rtol=1e-12)
    for days in DAYS:
        by_hand = [recounted_shop(rows, one, days) for one in samples]
        assert by_hand == sums.of_shop("carted", days).tolist()
    # no row is of an item with itself
    beside = [(one, other) for one in samples for other in one.history]
    for days in (30, 90):
        pairs = [recounted(rows, one, "pair", *sorted((one.item_id, h)), days) for one, h in beside]
        assert [one["purchased"] for one in pairs] == sums.beside(
            "pair", "purchased", days
        ).tolist()
        near = [recounted(rows, one, "item", h, "", days)["clicked"] for one, h in beside]
        assert near == sums.beside("neighbour", "clicked", days).tolist()


def test_keys_may_hold_any_character(store: Store) -> None:
    """Counts of keys with quotes, tabs and backslashes are found, and those of no other key."""
    keys = ["o'neill", "a\tb", "back\\", "`tick`", "line\n", "é, 'x", "plain"]
    rows = [Row(0, LAST - 2, count("item", key, clicked=at + 1)) for at, key in enumerate(keys)]
    beside = [Row(0, LAST - 2, count("pair", *sorted(("z", key)), clicked=9)) for key in keys]
    write_counts(store, rows + beside)
    samples = [sample(at, item_id=key, history=("z",)) for at, key in enumerate(keys)]
    asked = Asked.of(samples, HOUR)
    sums = Sums.of(asked, counted(store, asked, LAST_POSITION))
    assert [1, 2, 3, 4, 5, 6, 7] == sums.over("item", "clicked", 90).tolist()
    assert [9] * 7 == sums.beside("pair", "clicked", 90).tolist()


def test_features_do_not_depend_on_the_partitions(store: Store) -> None:
    """Counts that are spread over partitions give the features of counts in one partition."""
    rows, samples = random_rows(3, 600), random_samples(4, 30)
    write_counts(store, rows)
    spread = features_of(store, samples, Settings())
    store.execute("TRUNCATE TABLE counts")
    together: dict[tuple[int, str, str, str, int], list[int]] = {}
    for row in rows:
        kind, key, other, position, *numbers = astuple(row.count)
        place = (row.hour, kind, key, other, position)
        sums = together.setdefault(place, [0] * 6)
        together[place] = [one + more for one, more in zip(sums, numbers, strict=True)]
    write_counts(
        store,
        [
            Row(0, hour, Count(kind, key, other, position, *sums))
            for (hour, kind, key, other, position), sums in together.items()
        ],
    )
    np.testing.assert_array_equal(spread, features_of(store, samples, Settings()))


def test_features_are_written_once_and_then_read(store: Store) -> None:
    """Later counts do not change the features of a sample, and a text without a pair has none."""
    one, text = sample(1), sample(2, source="labelled", item_text="")
    placed = [PlacedSample.of(each, 0, at, "stream") for at, each in enumerate((one, text))]
    write_counts(store, [Row(0, LAST - 1, count("item", "a", purchased=3))])
    first = with_features(store, placed, [one, text], Settings(), 0)
    write_counts(store, [Row(1, LAST - 1, count("item", "a", purchased=9))])
    assert first == with_features(store, placed, [one, text], Settings(), 1)
    assert () == first[1].features
    assert {one.sample_id: first[0].features} == stored_features(
        store, [one.sample_id, text.sample_id]
    )
    [cost] = COSTS_OF_VERSIONS.of(store)
    assert (0, "features", 1, 0, 0.0) == cost[:5]


def test_the_features_of_a_sample_stand_at_its_first_position(store: Store) -> None:
    """Label versions that come together share features, which have the position of the first."""
    versions = [sample(1, label_version=number) for number in range(3)]
    placed = [PlacedSample.of(one, 0, 7 + at, "stream") for at, one in enumerate(versions)]
    found = with_features(store, placed, versions, Settings(), 0)
    assert 1 == len({one.features for one in found})
    for table in ("features", "costs"):
        assert [(7,)] == store.rows(f"SELECT offset FROM {table}")


def test_features_computed_again_by_a_later_version_count_once(store: Store) -> None:
    """A crash before they are written leaves the cost to the version that was in use before."""
    samples = [sample(number) for number in range(4)]
    placed = [
        PlacedSample.of(one, number % 2, number, "stream") for number, one in enumerate(samples)
    ]
    with_features(store, placed[:2], samples[:2], Settings(), 3)
    first = store.rows("SELECT * FROM costs FINAL ORDER BY offset")
    store.execute("TRUNCATE TABLE features")
    with_features(store, placed, samples, Settings(), 4)
    told = store.rows("SELECT version, partition, offset FROM costs FINAL ORDER BY offset")
    assert [(3, 0, 0), (3, 1, 1), (4, 0, 2), (4, 1, 3)] == told
    assert first == store.rows("SELECT * FROM costs FINAL WHERE version = 3 ORDER BY offset")
    assert 4 == len(stored_features(store, [one.sample_id for one in samples]))


def test_hours_count_once_every_partition_has_closed_them(store: Store) -> None:
    """The hour that is reached is that of the slowest partition, and a silent one holds all up."""
    closing = {"first": 5, "counts": 0, "uncounted": 0, "provisional": 0}
    rows = [closing | {"partition": 0, "hour": 7}, closing | {"partition": 1, "hour": 5}]
    store.write("hours", {name: [row[name] for row in rows] for name in rows[0]})
    assert (6, 8, 0) == (reached(store, [0, 1]), reached(store, [0]), reached(store, [0, 2]))
    samples = [sample(1, event_time=9 * HOUR + 5), sample(2, source="labelled")]
    assert 8 == needed(samples, Settings())
    assert 0 == needed(samples[1:], Settings())


@pytest.mark.parametrize(("shoppers", "seen"), [([4], 0), ([3, 2], 7), ([5], 7)])
def test_a_day_of_a_query_counts_from_five_shoppers_on(
    store: Store, shoppers: list[int], seen: int
) -> None:
    """Only days on which five shoppers asked a query count, added up over partitions and hours."""
    one = sample(1, query="Red cup", event_time=(LAST + 30) * HOUR)
    digest, _ = key_of(one, "query")
    rows = [
        Row(at, LAST // 24 * 24 + at, count("query", digest, shoppers=each))
        for at, each in enumerate(shoppers)
    ]
    clicks = count("query_item", digest, "a", position=1, clicked=7, shown=9)
    write_counts(store, [*rows, Row(2, LAST // 24 * 24 + 3, clicks)])
    asked = Asked.of([one], HOUR)
    sums = Sums.of(asked, counted(store, asked, LAST_POSITION))
    assert [seen] == sums.over("query_item", "clicked", 30).tolist()


def test_a_day_of_a_query_counts_once_it_is_over(store: Store) -> None:
    """The counts of a query's day are read when the last hour of the day is closed, not before."""
    digest, _ = key_of(sample(query="cup"), "query")
    day = 20_000 * 24
    asking = Row(0, day, count("query", digest, shoppers=9))
    write_counts(store, [asking, Row(0, day, count("query_item", digest, "a", clicked=1))])
    ends = [day + 23, day + 24]
    samples = [sample(at, query="cup", event_time=(end + 1) * HOUR) for at, end in enumerate(ends)]
    asked = Asked.of(samples, HOUR)
    sums = Sums.of(asked, counted(store, asked, LAST_POSITION))
    assert [0, 1] == sums.over("query_item", "clicked", 30).tolist()


def test_long_histories_of_long_ids_are_asked_for_in_several_queries(store: Store) -> None:
    """A server refuses long parameters, so a batch is divided before it grows too long."""
    ids = [f"{number:04}-{'ü' * 36}" for number in range(130)]
    samples = [
        sample(number, item_id=one, history=tuple(ids[number : number + 100]))
        for number, one in enumerate(ids[:30])
    ]
    write_counts(store, [Row(0, LAST - 1, count("pair", ids[0], ids[1], clicked=4))])
    found = features_of(store, samples, Settings())
    place = FEATURE_NAMES.index("pair_7")
    assert found[0, place] > found[2, place] == found[20, place]
