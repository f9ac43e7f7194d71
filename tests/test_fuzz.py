"""Mutated events go through decode, validate and join, as in `python -m tests.fuzz`."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mainstem.events import Event, Item, Refusal, Tick, decode
from mainstem.join import Joiner, imbalance
from tests.events.test_decode import KINDS, LATEST, json_values
from tests.fuzz import fuzz
from tests.fuzz_joins import CLASSES, Tally
from tests.join.generated import joiners
from tests.mutations import BYTES, STRUCTURE

DEEP = b'{"type":"view","event_id":"e","user_id":"u","event_timestamp":5,"item_id":"a","x":%s}'
NUMBERS = (
    st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from([2**31, 2**53, 2**63, 2**64, 10**30, LATEST])
)


def test_mutated_events_do_no_harm_and_are_accounted_for() -> None:
    """Of 5,000 mutated events none causes an error, and the ledger has every class in balance."""
    tally = Tally()
    assert [0, 1, 2, 3] == list(fuzz(5000, seed=0, size=1250, tally=tally))
    assert 5000 == tally.mutations.total()
    assert {*BYTES, *STRUCTURE, "value replaced"} == set(tally.mutations)
    assert set() == set(tally.missing), f"of {CLASSES}"


def test_the_same_seed_makes_the_same_mutations() -> None:
    """The same seed makes the same mutations, so that an error can be repeated."""
    first, again = Tally(), Tally()
    for tally in (first, again):
        list(fuzz(300, seed=7, size=150, tally=tally))
    assert first == again


@st.composite
def wrong_somewhere(draw: st.DrawFn) -> dict[str, Any]:
    """Return an event of any kind with one value replaced, possibly inside its items."""
    event = json.loads(json.dumps(draw(st.sampled_from([fields for fields, _ in KINDS]))))
    place = draw(st.sampled_from([event, *event.get("items", [])]))
    place[draw(st.sampled_from(sorted(place)))] = draw(NUMBERS | json_values)
    return event


@settings(deadline=None)
@given(wrong_somewhere(), st.sampled_from(["shown", "purchases"]))
@example({**KINDS[1][0], "items": [{"item_id": "a", "position": 2**64}]}, "shown")
def test_whatever_a_field_holds_the_joiner_goes_on(fields: dict[str, Any], questions: str) -> None:
    """An event with any value in any field is refused or joined, and its joiner can be restored."""
    event = decode(json.dumps(fields).encode())
    one, other = (joiner_after(event, questions) for _ in range(2))
    other.restore(one.snapshot())
    assert one.snapshot() == other.snapshot()
    end = Tick(event_timestamp=2 * LATEST)
    assert list(one.step(1, end)) == list(other.step(1, end))
    row = one.ledger_row()
    assert (0, 0, 0) == (imbalance(row), row.counts["open"], row.counts["parked"])
    assert isinstance(event, Refusal | Item) == row.counts["rejected"]


def joiner_after(event: Event | Refusal, questions: str) -> Joiner:
    """Return a joiner that took one event."""
    (joiner,) = joiners(1, questions)
    list(joiner.step(0, event))
    return joiner


@pytest.mark.parametrize("deep", [50, 99, 100, 900])
def test_how_deep_a_line_nests_is_judged_alike_by_all_callers(deep: int) -> None:
    """The depth at which a line is refused does not depend on the caller's depth of recursion."""

    def from_below(frames: int) -> Event | Refusal:
        return from_below(frames - 1) if frames else decode(raw)

    raw = DEEP % (b"[" * deep + b"]" * deep)
    found = from_below(0)
    assert found == from_below(500)
    assert (deep > 99) == isinstance(found, Refusal)


def test_brackets_in_a_text_do_not_nest() -> None:
    """A text may hold any number of brackets, even behind escaped quotes."""
    assert not isinstance(decode(DEEP % (b'"' + b'[{\\"' * 500 + b'"')), Refusal)
