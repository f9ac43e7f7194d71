"""The JSON Schemas of events accept what `decode` accepts, checked with `jsonschema`."""

import json
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mainstem.events import Event, Refusal, decode, encode
from mainstem.events.schema import KINDS, event_schema
from tests.events.test_decode import FAULTS, WHO, events, json_values
from tests.events.test_decode import KINDS as EXAMPLES

ALL = Draft202012Validator(event_schema())
EDGES = [length for limit in (0, 1, 256, 4096, 65_536) for length in (limit, limit + 1)]
WHOLE = {"event_timestamp", "position"}
edge_texts = st.builds(
    lambda letter, length: letter * length,
    st.sampled_from("a杯\U0001f375"),
    st.sampled_from(EDGES),
)
edge_numbers = st.sampled_from(
    [-1, 0, 1, 0.0, 0.5, 4_102_444_800_000, 4_102_444_800_001, 1e12, 1.1e12, 10**30, True]
)
values = json_values | edge_texts | edge_numbers


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an event with one or two fields removed or replaced, at the top or within a list."""
    event = json.loads(encode(draw(events)))
    for _ in range(draw(st.integers(1, 2))):
        part = event
        if event.get("items") and isinstance(event["items"], list) and draw(st.booleans()):
            part = event["items"][0] if isinstance(event["items"][0], dict) else event
        name = draw(
            st.sampled_from([*part, "session_id", "quantity", "price", "query", "position", "note"])
        )
        if draw(st.booleans()):
            part.pop(name, None)
        else:
            part[name] = draw(values)
    return event


def has_float_for_whole(event: dict[str, Any]) -> bool:
    """Whether a whole number is written as 5.0, which a schema cannot refuse."""
    items = event["items"] if _listed(event) else []
    parts = [event, *(part for part in items if isinstance(part, dict))]
    return any(
        isinstance(part.get(name), float) and part[name].is_integer()
        for part in parts
        for name in WHOLE
    )


def _listed(event: dict[str, Any]) -> bool:
    return isinstance(event.get("items"), list)


def accepted(event: Any) -> bool:
    return not isinstance(decode(json.dumps(event).encode()), Refusal)


def test_every_kind_has_a_schema_that_is_one() -> None:
    """Each kind of event has a valid schema with its docstring, also within that of all events."""
    assert {kind.__name__.lower() for kind in get_args(Event)} == set(KINDS)
    whole = event_schema()
    assert len(KINDS) == len(whole["oneOf"])
    for name, kind in KINDS.items():
        one = event_schema(name)
        Draft202012Validator.check_schema(one)
        described = one["$defs"][kind.__name__]
        assert kind.__doc__.splitlines()[0] == described["description"].splitlines()[0]
        assert {"type", *kind.__struct_fields__} == set(described["properties"])
        assert described == whole["$defs"][kind.__name__]
    Draft202012Validator.check_schema(whole)
    assert len({"", *(event_schema(name)["$id"] for name in KINDS)}) == len(KINDS) + 1


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(events)
def test_what_is_encoded_is_valid(event: Event) -> None:
    """An encoded event is valid as an event and as its own kind only."""
    written = json.loads(encode(event))
    assert ALL.is_valid(written)
    validators = {name: Draft202012Validator(event_schema(name)) for name in KINDS}
    assert [written["type"]] == [
        name for name, validator in validators.items() if validator.is_valid(written)
    ]


@settings(deadline=None, max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(mutated().filter(lambda event: not has_float_for_whole(event)))
def test_schema_and_decode_agree(event: dict[str, Any]) -> None:
    """An event is valid by the schema if and only if it is decoded, at all limits too."""
    assert accepted(event) == ALL.is_valid(event)


@settings(deadline=None)
@given(json_values)
def test_schema_and_decode_agree_on_anything(value: Any) -> None:
    """Schema and decoder agree on arbitrary JSON values."""
    assert accepted(value) == ALL.is_valid(value)


@pytest.mark.parametrize(
    "name", [name for name, (fields, _, _) in FAULTS.items() if isinstance(fields, dict)]
)
def test_what_decode_refuses_is_invalid(name: str) -> None:
    """Each known fault of an event is invalid by the schema."""
    assert not ALL.is_valid(FAULTS[name][0])


def test_examples_of_every_kind_are_valid_with_more_fields() -> None:
    """A shop may send fields that are not read."""
    for fields, _ in EXAMPLES:
        assert ALL.is_valid({**fields, "colour": "red", "deep": {"er": 1}})


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"tick","event_timestamp":5.0}',
        '{"type":"tick","event_timestamp":5e0}',
        '{"type":"search","event_id":"\\ud800","event_timestamp":5,"user_id":"u","query":""}',
        (
            '{"type":"purchase","event_id":"e","event_timestamp":5,'
            '"user_id":"u","item_id":"a","quantity":1e400}'
        ),
        '{"type":"tick","event_timestamp":5,"note":"' + "x" * 1_000_000 + '"}',
    ],
    ids=["5.0", "5e0", "half a surrogate pair", "beyond a double", "longer than a line"],
)
def test_what_a_schema_cannot_say_is_said_in_words(text: str) -> None:
    """The events that only `decode` refuses are named in the schema's description."""
    assert ALL.is_valid(json.loads(text))
    assert isinstance(decode(text.encode()), Refusal)
    said = event_schema()["description"]
    assert [] == [
        one
        for one in ("5, not 5.0", "surrogate", "fit in a double", "1,000,000 bytes")
        if one not in said
    ]


def test_every_field_of_an_event_is_described() -> None:
    """The schema describes each field of each kind of event, inherited fields among them."""
    bare = [
        (name, field)
        for name, struct in event_schema()["$defs"].items()
        for field, one in struct["properties"].items()
        if field != "type" and not one.get("description")
    ]
    assert [] == bare


def test_an_unknown_kind_is_told_with_the_known_ones() -> None:
    """The error names the kind that was asked for and the known kinds."""
    with pytest.raises(
        ValueError, match=r"no event is of type 'hover'; it is one of search, .*, tick"
    ):
        event_schema("hover")


def test_shown_items_are_in_the_schema_of_impressions() -> None:
    """The schema of one kind contains the definitions that it refers to."""
    impression = {
        "type": "impression",
        **WHO,
        "impression_id": "m",
        "items": [{"item_id": "a", "position": 0}],
    }
    errors = list(Draft202012Validator(event_schema("impression")).iter_errors(impression))
    assert ["$.items[0].position"] == [error.json_path for error in errors]
