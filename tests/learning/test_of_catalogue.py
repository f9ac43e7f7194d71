"""Which samples a draw takes for outdated, and which rest, held against the catalogue itself."""

import re
from random import Random
from typing import Any

import numpy as np
import pytest

from mainstem.events import Item
from mainstem.join.catalogue import Catalogue
from mainstem.learning.draws import RowsPool, StoredPool
from mainstem.learning.draws.catalogue import of_catalogue
from mainstem.settings import Learning
from mainstem.settings.durations import DAY
from mainstem.store import Store
from mainstem.store.writes import columns_of, item_columns
from tests.learning.test_next_draw import SETTINGS, drawn, made
from tests.learning.test_pool import COUNT, Both, both, id_of, store

__all__ = ["both", "store"]

ENDS = {0: COUNT, 1: COUNT}
NOW = 1000 * (COUNT - 1)  # event time of the newest sample
WORDS = ("red", "Blue", "cup", "T-light", "mug", "set of 6", "glass", "Tasse", "杯子")


def item(item_id: str, time: int, title: str, **more: Any) -> Item:
    return Item(
        event_id=f"{item_id}-{time}-{title}",
        event_timestamp=time,
        item_id=item_id,
        title=title,
        **more,
    )


def ask_about(store: Store, items: list[Item], **more: Any) -> Catalogue:
    """Write items, and samples about them: sample n is asked at second n, of item n modulo 6."""
    catalogue = Catalogue()
    for one in items:
        catalogue.add(one)
    store.write("items", item_columns(items))
    rows: list[dict[str, Any]] = []
    for number in range(COUNT):
        described = catalogue.described_as_of(f"i{number % 6}", 1000 * number)
        rows.append(
            {
                "sample_id": id_of(number),
                "partition": number % 2,
                "offset": number,
                "event_time": 1000 * number,
                "item_id": f"i{number % 6}",
                "item_text": described.text if described else "",
                "price_band": described.band if described else "",
                "source": "view",
            }
        )
        rows[-1] |= {name: give(number) for name, give in more.items()}
    store.write("samples", columns_of(rows))
    return catalogue


def words(one: Item | None) -> set[str]:
    texts = (one.title, one.category, one.brand) if one else ()
    found = " ".join(text for text in texts if text)
    return {word.lower() for word in re.split(r"[\s!-/:-@\[-`{-~]+", found) if word}


def shares_of(catalogue: Catalogue, items: list[Item]) -> dict[int, tuple[float, int]]:
    """For each sample whose item has other words now: the share of words that changed, and when."""
    found = {}
    for number in range(COUNT):
        name, time = f"i{number % 6}", 1000 * number
        own, now = (words(catalogue.as_of(name, at)) for at in (time, NOW))
        times = sorted({one.event_timestamp for one in items if one.item_id == name})
        before = {
            at: words(catalogue.as_of(name, last))
            for last, at in zip([-1, *times], times, strict=False)
        }
        changes = [
            at
            for at in times
            if time < at <= NOW and words(catalogue.as_of(name, at)) != before[at]
        ]
        if own != now:
            found[number] = (1 - len(own & now) / len(own | now), changes[0])
    return found


@pytest.mark.parametrize("seed", range(3))
def test_outdated_samples_are_those_of_the_catalogue(both: Both, store: Store, seed: int) -> None:
    """Samples count less by the share of words and the time that the catalogue itself gives."""
    chance = Random(seed)
    items = [
        item(
            f"i{number}",
            time,
            " ".join(chance.sample(WORDS, 4)),
            category=chance.choice((None, "Lamps", "set")),
            price=chance.choice((None, 3.0, 7.0)),
        )
        for number in range(6)
        for time in sorted({0, *(chance.randrange(1, NOW + 9000) for _ in range(number))})
    ]
    shares = shares_of(ask_about(store, items), items)
    learning = Learning(outdated_beyond=0.4, outdated_half_life=20_000)
    pool = RowsPool(both.rows)
    found, rest = of_catalogue(store, pool, learning, ENDS)
    assert rest is None
    assert found is not None
    expected = {
        id_of(number): 0.5 ** ((NOW - since) / 20_000)
        for number, (share, since) in shares.items()
        if share > 0.4
    }
    less = {pool.id_of(row): found[row] for row in np.flatnonzero(found < 1)}
    assert less == pytest.approx({one: much for one, much in expected.items() if much < 1})
    assert less


def test_another_price_alone_outdates_nothing(both: Both, store: Store) -> None:
    """A sample whose item has another price but the same words counts in full."""
    ask_about(store, [item("i0", 0, "cup", price=3.0), item("i0", 30_000, "Cup", price=90.0)])
    learning = Learning(outdated_beyond=0.0)
    assert (None, None) == of_catalogue(store, RowsPool(both.rows), learning, ENDS)


def test_what_the_catalogue_tells_later_does_not_count_yet(both: Both, store: Store) -> None:
    """An item event after the newest sample of the round is not known, though it is written."""
    ask_about(store, [item("i0", 0, "cup"), item("i0", NOW + 1, "mug")])
    assert (None, None) == of_catalogue(store, RowsPool(both.rows), Learning(), ENDS)


def test_a_text_that_comes_back_is_not_outdated(both: Both, store: Store) -> None:
    """Samples asked under the words that the item has again count in full, the others less."""
    ask_about(store, [item("i0", 0, "cup"), item("i0", 20_000, "mug"), item("i0", 40_000, "cup")])
    pool = RowsPool(both.rows)
    found, _ = of_catalogue(store, pool, Learning(outdated_half_life=10_000), ENDS)
    assert found is not None
    less = {pool.id_of(row) for row in np.flatnonzero(found < 1)}
    assert {id_of(number) for number in range(24, 40, 6)} == less


def test_labelled_texts_are_never_outdated_and_never_rest(both: Both, store: Store) -> None:
    """A labelled text is no text of the catalogue."""
    items = [item("i0", 0, "cup"), item("i0", 30_000, "mug")]
    ask_about(store, items, source=lambda _: "labelled")
    learning = Learning(gone_after=1)
    counts, rest = of_catalogue(store, RowsPool(both.rows), learning, ENDS)
    assert counts is None
    assert rest is not None
    assert not rest.any()


def test_samples_of_an_item_that_nobody_sees_any_more_rest(both: Both, store: Store) -> None:
    """An item lives while it is described or asked about; being drawn as a negative is no life."""
    # i0 is asked about to the end; i1 is only drawn; i2 is described again; the others are gone
    lately = NOW - 9_000
    ask_about(
        store,
        [*(item(f"i{number}", 0, "cup") for number in range(6)), item("i2", NOW - 2_000, "cup")],
        item_id=lambda number: f"i{number % 6}" if number < 50 else ("i0", "i1")[number % 2],
        source=lambda number: "drawn" if number >= 50 and number % 2 else "view",
    )
    assert lately == 50_000
    pool = RowsPool(both.rows)
    learning = Learning(gone_after=9_000, outdated_half_life=0)
    counts, rest = of_catalogue(store, pool, learning, ENDS)
    assert counts is None
    assert rest is not None
    resting = {pool.id_of(row) for row in np.flatnonzero(rest)}
    gone = {number for number in range(50) if number % 6 in {1, 3, 4, 5}} | set(range(51, COUNT, 2))
    assert {id_of(number) for number in gone} == resting


@pytest.mark.parametrize(("offset", "rests"), [(5000, True), (52, False)])
def test_a_sample_after_the_positions_of_the_round_is_no_sign_of_life(
    both: Both, store: Store, offset: int, *, rests: bool
) -> None:
    """What was accepted after the round began does not keep an item, however early it was asked."""
    ask_about(store, [item(f"i{number}", 0, "cup") for number in range(6)])
    late = {"sample_id": id_of(1000), "partition": 0, "offset": offset, "event_time": 50_000}
    store.write("samples", columns_of([late | {"item_id": "i5", "source": "view"}]))
    # the newest sample of the round is of second 52, and i5 was asked about in 47 and in 53
    pool, ends = RowsPool(both.rows), {0: 53, 1: 53}
    found = of_catalogue(store, pool, Learning(gone_after=4_500), ends)
    assert found.rest is not None
    resting = {pool.id_of(row) for row in np.flatnonzero(found.rest)}
    assert (set(map(id_of, range(5, COUNT, 6))) if rests else set()) == resting


def test_draws_from_rows_and_from_the_history_agree(both: Both, store: Store) -> None:
    """With outdated texts and items that are gone, embedded and deployed learners draw the same."""
    made(store, 0.8, 0.7, 0.75)
    items = [item(f"i{number}", 0, "red cup") for number in range(6)]
    items += [item("i0", 20_000, "blue mug"), item("i3", 30_000, "green glass")]
    ask_about(store, items, source=lambda number: "drawn" if number % 6 == 4 else "view")
    settings = SETTINGS.but(
        {"learning.outdated_half_life": 10_000, "learning.gone_after": 50_000, "learning.draw": 20}
    )
    found = []
    for pool in (RowsPool(both.rows), StoredPool(store)):
        one = drawn(store, pool, settings=settings)
        found.append(dict(zip([pool.id_of(row) for row in one.rows], one.probability, strict=True)))
    assert found[0].keys() == found[1].keys()
    assert found[0] == pytest.approx(found[1], rel=1e-9)
    # of i4 only the first description is a sign of life
    assert not {id_of(number) for number in range(4, COUNT, 6)} & found[0].keys()
    plain = drawn(store, RowsPool(both.rows), settings=SETTINGS.but({"learning.draw": 20}))
    assert {id_of(number) for number in range(4, COUNT, 6)} & {
        RowsPool(both.rows).id_of(row) for row in plain.rows
    }


def test_a_half_life_of_a_month_is_the_default() -> None:
    """By default outdated samples count half after a month, and no item is ever gone."""
    assert (0.5, 30 * DAY, 0) == (
        Learning().outdated_beyond,
        Learning().outdated_half_life,
        Learning().gone_after,
    )
