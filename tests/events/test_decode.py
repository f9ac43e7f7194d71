"""Events are decoded and encoded, and a refusal says why without personal data."""

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mainstem.events import (
    Cart,
    Click,
    Event,
    Impression,
    Item,
    Purchase,
    Refusal,
    Return,
    Search,
    Shown,
    Tick,
    View,
    decode,
    encode,
)

# the beginning of the year 2100
LATEST = 4_102_444_800_000
WHO = {"event_id": "e", "event_timestamp": 5, "user_id": "u"}

KINDS = [
    ({"type": "search", **WHO, "query": "cup"}, Search(**WHO, query="cup")),
    (
        {
            "type": "impression",
            **WHO,
            "impression_id": "m",
            "items": [{"item_id": "a", "position": 1}, {"item_id": "b"}],
        },
        Impression(
            **WHO, impression_id="m", items=(Shown(item_id="a", position=1), Shown(item_id="b"))
        ),
    ),
    (
        {"type": "view", **WHO, "session_id": "s", "item_id": "a"},
        View(**WHO, session_id="s", item_id="a"),
    ),
    (
        {"type": "click", **WHO, "item_id": "a", "impression_id": "m"},
        Click(**WHO, item_id="a", impression_id="m"),
    ),
    ({"type": "cart", **WHO, "item_id": "a"}, Cart(**WHO, item_id="a")),
    (
        {"type": "purchase", **WHO, "item_id": "a", "quantity": 2, "price": 1.5},
        Purchase(**WHO, item_id="a", quantity=2, price=1.5),
    ),
    (
        {"type": "return", **WHO, "item_id": "a", "quantity": 1},
        Return(**WHO, item_id="a", quantity=1),
    ),
    (
        {
            "type": "item",
            "event_id": "e",
            "event_timestamp": 5,
            "item_id": "a",
            "title": "red cup",
            "brand": "Acme",
        },
        Item(event_id="e", event_timestamp=5, item_id="a", title="red cup", brand="Acme"),
    ),
    ({"type": "tick", "event_timestamp": 5}, Tick(event_timestamp=5)),
]

VIEW = {"type": "view", **WHO, "item_id": "a"}
FAULTS = {
    "no object": (b"[1]", "Expected `object`, got `array`", "$"),
    "empty": (b"  ", "the line is empty", "$"),
    "no type": ({**VIEW, "type": None}, "Expected `str`", "$.type"),
    "unknown type": ({**VIEW, "type": "hover"}, "Invalid value 'hover'", "$.type"),
    "missing field": ({"type": "view", **WHO}, "Object missing required field `item_id`", "$"),
    "wrong type": ({**VIEW, "item_id": 7}, "Expected `str`, got `int`", "$.item_id"),
    "empty id": ({**VIEW, "user_id": ""}, "Expected `str` of length >= 1", "$.user_id"),
    "too long an id": (
        {**VIEW, "user_id": "u" * 257},
        "Expected `str` of length <= 256",
        "$.user_id",
    ),
    "before 1970": ({**VIEW, "event_timestamp": -1}, "Expected `int` >= 0", "$.event_timestamp"),
    "after 2100": (
        {**VIEW, "event_timestamp": LATEST + 1},
        f"Expected `int` <= {LATEST}",
        "$.event_timestamp",
    ),
    "past 64 bits": (
        {**VIEW, "event_timestamp": 10**30},
        f"Expected `int` <= {LATEST}",
        "$.event_timestamp",
    ),
    "inside a list": (
        {
            "type": "impression",
            **WHO,
            "impression_id": "m",
            "items": [{"item_id": "a"}, {"item_id": 7}],
        },
        "Expected `str`, got `int`",
        "$.items[1].item_id",
    ),
    "nothing shown": (
        {"type": "impression", **WHO, "impression_id": "m", "items": []},
        "Expected `array` of length >= 1",
        "$.items",
    ),
}

ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
times = st.integers(0, LATEST)
amounts = st.none() | st.floats(0, 1e12)
quantities = st.none() | st.floats(0, 1e12, exclude_min=True)
who = {"event_id": ids, "event_timestamp": times, "user_id": ids, "session_id": st.none() | ids}
answer = {**who, "item_id": ids, "impression_id": st.none() | ids}
shown = st.builds(Shown, item_id=ids, position=st.none() | st.integers(1, 10**6))
events = st.one_of(
    st.builds(Search, **who, query=texts),
    st.builds(
        Impression,
        **who,
        impression_id=ids,
        items=st.lists(shown, min_size=1, max_size=5).map(tuple),
        query=st.none() | texts,
    ),
    st.builds(View, **answer),
    st.builds(Click, **answer),
    st.builds(Cart, **answer),
    st.builds(Purchase, **answer, quantity=quantities, price=amounts),
    st.builds(Return, **answer, quantity=quantities),
    st.builds(
        Item,
        event_id=ids,
        event_timestamp=times,
        item_id=ids,
        title=ids,
        category=st.none() | texts,
        price=amounts,
    ),
    st.builds(Tick, event_timestamp=times),
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(texts | st.sampled_from(sorted(VIEW)), inner, max_size=3)
    ),
    max_leaves=8,
)


def refused(fields: dict[str, object] | bytes) -> Refusal:
    found = decode(fields if isinstance(fields, bytes) else json.dumps(fields).encode())
    assert isinstance(found, Refusal)
    return found


@pytest.mark.parametrize(("fields", "event"), KINDS, ids=[fields["type"] for fields, _ in KINDS])
def test_each_kind_decodes(fields: dict[str, object], event: Event) -> None:
    """Every kind of event is read from its JSON object."""
    assert event == decode(json.dumps(fields).encode())


@pytest.mark.parametrize(("fields", "reason", "path"), FAULTS.values(), ids=FAULTS)
def test_a_refusal_says_why_and_where(
    fields: dict[str, object] | bytes, reason: str, path: str
) -> None:
    """A bad event is refused with the reason and the JSON path of what is wrong."""
    found = refused(fields)
    assert (reason, path) == (found.reason, found.path)


def test_unknown_fields_are_ignored() -> None:
    """A shop may send fields that are not read."""
    assert View(**WHO, item_id="a") == decode(
        json.dumps({**VIEW, "colour": "red", "deep": {"er": 1}}).encode()
    )


def test_a_refusal_keeps_neither_user_fields_nor_unknown_ones() -> None:
    """The body of a refused event has no field that might name a person."""
    found = refused(
        {**VIEW, "item_id": 7, "user_id": "bob", "session_id": "bob-1", "email": "bob@example.org"}
    )
    assert json.loads(found.body) == {
        "type": "view",
        "event_id": "e",
        "event_timestamp": 5,
        "item_id": 7,
    }


def test_a_refusal_keeps_no_user_fields_at_any_depth() -> None:
    """User fields are removed from nested objects and lists too, and known fields stay."""
    items = [{"item_id": 7, "position": 2, "user_id": "bob", "note": "for bob"}]
    found = refused(
        {"type": "impression", **WHO, "impression_id": {"user_id": "bob"}, "items": items}
    )
    body = {"type": "impression", "event_id": "e", "event_timestamp": 5, "impression_id": {}}
    assert {**body, "items": [{"item_id": 7, "position": 2}]} == json.loads(found.body)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{not json",
        b"[1]",
        b"\xff\xfe",
        b'{"type":"view","item_id":"\xff"}',
        b'{"items":' + b"[" * 100_000,
    ],
)
def test_bytes_that_are_no_object_leave_only_their_digest(raw: bytes) -> None:
    """Bytes that cannot be redacted are not kept; only their digest is."""
    found = refused(raw)
    assert ("", hashlib.blake2b(raw, digest_size=16).hexdigest()) == (found.body, found.digest)
    assert found.reason


@settings(deadline=None)
@given(events)
def test_what_is_encoded_decodes_to_the_same(event: Event) -> None:
    """`decode(encode(event)) == event`, and the wire holds no line break."""
    raw = encode(event)
    assert event == decode(raw)
    assert b"\n" not in raw


@settings(deadline=None)
@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    """Any bytes give an event or a refusal with reason, path and digest."""
    found = decode(raw)
    if isinstance(found, Refusal):
        assert found.reason
        assert found.path.startswith("$")
        assert len(found.digest) == 32


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*VIEW, "session_id", "items", "note"]), json_values, max_size=6
    )
)
def test_a_body_holds_known_fields_only(fields: dict[str, object]) -> None:
    """The redacted body of a broken object has all known fields but the user's, and no others."""
    found = decode(json.dumps(fields).encode())
    if isinstance(found, Refusal):
        kept = set(json.loads(found.body))
        assert kept == fields.keys() - {"user_id", "session_id", "note"}
