"""Mutations of the bytes and the structure of events, and logs made of them."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from random import Random
from typing import Any

import msgspec

from mainstem.events import Event, Item, Labelled, Purchase, Refusal, decode
from mainstem.simulate import Shop, simulate
from tests.conftest import excerpt_lines

PRIVATE = re.compile(r"private-(?:user|session)-[\w-]+")
"""Every user and session id of a base is of this form, so that one can be told anywhere."""
KINDS = (
    *("search", "impression", "view", "click", "cart"),
    *("purchase", "return", "item", "labelled", "tick"),
)
FUTURE = 4_102_444_800_000
HOUR = 3_600_000
NUMBERS = (
    *(0, 1, -1, -0.0, 0.5, 1e-320, 1e12, 1e308, 2**31, 2**53),
    *(2**63, 2**64, 10**30, FUTURE, FUTURE + 1, 1_700_000_000),
)
IDS = (
    *("", "x", "x" * 256, "x" * 257, "x" * 4097, "\0", "é"),
    *("\U0001d4b3" * 256, " ", "\u202e", "null", "' OR 1=1 --", "<b>"),
)
ODD = (None, True, [], {}, "", [[]], {"item_id": {}}, "5", 5, 5.5, *IDS)
NEAR = (
    *(-1, 0, 1, 1000, -1000, 60_000, -60_000, 600_000, -600_000),
    *(-HOUR, -24 * HOUR, -900 * HOUR, HOUR // 2),
)
VALUE = re.compile(rb'(?<=":)("[^"]*"|[-0-9.]+)')
TOKENS = (
    *(rb'"\ud800"', rb'"\udc00\ud800"', rb'"\u0000"', b'"\0"', b'"\xed\xa0\x80"', b'"\xc3"'),
    *(b'"\\x"', b'"a\tb"', b"''"),
    *(b"NaN", b"-Infinity", b"1e400", b"1E-400", b"-0", b"01", b"0x1", b"1_0"),
    *(b"9" * 400, b"18446744073709551616", b"null", b"true", b"tru", b"{}"),
    *(b"[" * 50 + b"]" * 50, b"[" * 950 + b"]" * 950, b"[" * 20_000, b'{"a":' * 2000),
    *(b'"' + b"x" * 5000 + b'"', b'"' + b"x" * 70_000 + b'"', b"/**/1", b'"a" "b"', b",", b""),
)
LONG = b'"' + b"x" * 1_000_000 + b'"'

Fields = dict[str, Any]
BYTES: dict[str, Callable[[Random, bytes, bytes, bytes, bytes], bytes]] = {
    "bit flipped": lambda chance, head, cut, tail, _: (
        head + bytes(byte ^ 1 << chance.randrange(8) for byte in cut[:1]) + cut[1:] + tail
    ),
    "deleted": lambda _, head, __, tail, ___: head + tail,
    "inserted": lambda chance, head, cut, tail, _: (
        head + chance.randbytes(chance.randint(1, 8)) + cut + tail
    ),
    "doubled": lambda _, head, cut, tail, __: head + cut + cut + tail,
    "truncated": lambda _, head, __, ___, ____: head,
    "spliced": lambda _, head, __, ___, other: head + other[len(head) :],
    "joined": lambda _, head, cut, tail, other: head + cut + tail + other,
    "within another": lambda _, head, cut, tail, other: head + other + cut + tail,
    "noise": lambda chance, *_: chance.randbytes(chance.randrange(300)),
    "not UTF-8": lambda chance, head, cut, tail, _: (
        head + chance.choice((b"\xff", b"\xc3", b"\x80", b"\xe9")) + cut + tail
    ),
    "NUL": lambda _, head, __, tail, ___: head + b"\0" + tail,
    "byte order mark": lambda _, head, cut, tail, __: b"\xef\xbb\xbf" + head + cut + tail,
    "CRLF": lambda chance, head, cut, tail, _: head + cut + tail + b"\r" * chance.randint(1, 2),
    "line break": lambda _, head, cut, tail, __: head + b"\n" + cut + tail,
    "space": lambda _, head, cut, tail, __: b" \t" + head + cut + tail + b"  ",
}


@dataclass(frozen=True)
class Base:
    """Valid events of shoppers in order of arrival, and the items that they name."""

    events: list[Fields]
    items: dict[str, Fields]
    questions: str

    @property
    def newest(self) -> int:
        """Return the largest event time."""
        return max(event["event_timestamp"] for event in self.events)


@cache
def purchases_base() -> Base:
    """Return the shipped excerpt, whose questions are purchases, with titles as labelled texts."""
    return _base([decode(line) for line in excerpt_lines(15_000)], "purchases")


@cache
def shown_base() -> Base:
    """Return a simulated shop, whose questions are impressions and views."""
    log = BytesIO()
    simulate(Shop(users=400, items=300, days=30), log, events=15_000)
    return _base([decode(line) for line in log.getvalue().splitlines()], "shown")


def _base(events: list[Event | Refusal], questions: str) -> Base:
    told, items = list[Fields](), dict[str, Fields]()
    for number, event in enumerate(events):
        if isinstance(event, Refusal):
            continue
        fields = msgspec.to_builtins(event)
        if isinstance(event, Item):
            items.setdefault(event.item_id, fields)
            continue
        for name in ("user", "session"):
            if f"{name}_id" in fields:
                fields[f"{name}_id"] = f"private-{name}-{fields[f'{name}_id']}"
        told.append(fields)
        if isinstance(event, Purchase) and number % 10 == 0:
            text = Labelled(
                event_id=f"text-{number}",
                event_timestamp=event.event_timestamp,
                user_id=fields["user_id"],
                text=f"text {number}",
                label="yes" if number % 20 else "no",
            )
            told.append(msgspec.to_builtins(text))
    return Base(told, items, questions)


def mutated_lines(
    chance: Random, base: Base, size: int, tally: Counter[str], *, far: bool
) -> Iterator[bytes]:
    """Yield a log of items, unmutated events and `size` mutated ones, counted in `tally`.

    Unless `far`, no mutated event is more than two hours later than its original.
    """
    begin = chance.randrange(len(base.events))
    events = [base.events[(begin + number) % len(base.events)] for number in range(4 * size)]
    events = events[: len(base.events)]
    # subtle: the first 4 KiB of a file decide whether it is text at all, so they are not mutated.
    yield from (msgspec.json.encode(item) for item in list(base.items.values())[:100])
    known, whole, left = set(list(base.items)[:100]), list[Fields](), size
    while left > 0:
        for event in events:
            for item_id in _items_of(event) - known:
                known.add(item_id)
                whole.append(base.items.get(item_id, event))
                if chance.random() < 0.95 and item_id in base.items:
                    yield msgspec.json.encode(base.items[item_id])
            whole.append(event)
            if chance.random() < 0.4:
                yield msgspec.json.encode(event)
                continue
            name, line = _mutated(chance, event, whole[-200:], far=far)
            tally[name] += 1
            left -= 1
            yield line
            if left == 0:
                break


def _items_of(event: Fields) -> set[str]:
    return {item["item_id"] for item in event.get("items", [event]) if "item_id" in item}


def _mutated(
    chance: Random, event: Fields, others: list[Fields], *, far: bool
) -> tuple[str, bytes]:
    """Mutate an event so that its time stays within the limit."""
    latest = FUTURE if far else event["event_timestamp"] + 2 * HOUR
    # Sometimes an item event, or an event that comes again.
    source = chance.choice(others) if chance.random() < 0.1 else event
    while True:
        name, line = _once(chance, source, chance.choice(others))
        if not any(_time_of(part) > latest for part in line.split(b"\n")):
            return name, line


def _time_of(line: bytes) -> int:
    event = decode(line)
    return -1 if isinstance(event, Refusal | Item) else event.event_timestamp


def _once(chance: Random, event: Fields, other: Fields) -> tuple[str, bytes]:
    raw = msgspec.json.encode(event)
    if chance.random() < 0.35:
        name = chance.choice(list(BYTES))
        begin = chance.randrange(len(raw))
        end = begin + chance.randint(1, 40)
        return name, BYTES[name](
            chance, raw[:begin], raw[begin:end], raw[end:], msgspec.json.encode(other)
        )
    if chance.random() < 0.1:
        token = LONG if chance.random() < 0.005 else chance.choice(TOKENS)
        place = chance.choice(list(VALUE.finditer(raw)))
        return "value replaced", raw[: place.start()] + token + raw[place.end() :]
    name = chance.choice(list(STRUCTURE))
    return name, _encoded(STRUCTURE[name](chance, dict(event), other))


def _encoded(fields: Fields | bytes) -> bytes:
    return fields if isinstance(fields, bytes) else msgspec.json.encode(fields)


def _dropped(chance: Random, event: Fields, _: Fields) -> Fields:
    del event[chance.choice(list(event))]
    return event


def _renamed(chance: Random, event: Fields, other: Fields) -> Fields:
    name = chance.choice(list(event))
    value = event.pop(name)
    return {**event, chance.choice([*other, name.upper(), "email", "userId"]): value}


def _twice(chance: Random, event: Fields, other: Fields) -> bytes:
    name = chance.choice(list(other))
    return msgspec.json.encode(event)[:-1] + b"," + msgspec.json.encode({name: other[name]})[1:]


def _with_items(chance: Random, event: Fields, _: Fields) -> Fields:
    items = list(event.get("items") or [{"item_id": event.get("item_id", "x"), "position": 1}])
    number = chance.choice((0, 2, 1000, 1001))
    many = (
        (items * number)[:number]
        if chance.random() < 0.5
        else [{"item_id": f"i{place}"} for place in range(number)]
    )
    if many and chance.random() < 0.3:
        many[-1] = {**many[-1], "position": chance.choice(NUMBERS)}
    session = {"impression_id": f"m-{chance.randrange(100)}", "user_id": "private-user-x"}
    return {**session, **event, "type": "impression", "items": many}


def _extreme(chance: Random, event: Fields, _: Fields) -> Fields:
    names = [name for name in event if isinstance(event[name], int | float)]
    return event | {chance.choice(names): chance.choice(NUMBERS)}


def _fresh(chance: Random, event: Fields) -> Fields:
    return event | {"event_id": f"fresh-{chance.getrandbits(64)}"}


def _answered(chance: Random, event: Fields, _: Fields) -> Fields:
    """Answer a question at once, after a while, or after hours."""
    item = chance.choice(event["items"]) if event.get("items") else event
    later = chance.choice((0, 1, 60_000, 900_000, HOUR, 3 * HOUR // 2, 2 * HOUR))
    answer = {"type": chance.choice(KINDS[3:7]), "item_id": item.get("item_id", "x")}
    times = {"event_timestamp": event["event_timestamp"] + later}
    kept = {
        name: event[name] for name in ("user_id", "session_id", "impression_id") if name in event
    }
    return _fresh(chance, kept | answer | times)


STRUCTURE: dict[str, Callable[[Random, Fields, Fields], Fields | bytes]] = {
    "field dropped": _dropped,
    "field renamed": _renamed,
    "field retyped": lambda chance, event, _: (
        event | {chance.choice(list(event)): chance.choice(ODD)}
    ),
    "field twice": _twice,
    "unknown field": lambda chance, event, _: (
        event | {"note": chance.choice(ODD), "e-mail": "private-user-9@example.org"}
    ),
    "field of another": lambda chance, event, other: (
        event | {name: other[name] for name in [chance.choice(list(other))]}
    ),
    "extreme number": _extreme,
    "odd id": lambda chance, event, _: (
        event | {chance.choice(("event_id", "user_id", "item_id")): chance.choice(IDS)}
    ),
    "other time": lambda chance, event, _: (
        event | {"event_timestamp": event["event_timestamp"] + chance.choice(NEAR)}
    ),
    "extreme time": lambda chance, event, _: event | {"event_timestamp": chance.choice(NUMBERS)},
    "other shopper": lambda _, event, other: event | {"user_id": other.get("user_id", "x")},
    "other impression": lambda chance, event, other: (
        _fresh(chance, event) | {"impression_id": other.get("impression_id", "none")}
    ),
    "same id, other kind": lambda chance, event, _: event | {"type": chance.choice(KINDS)},
    "id of another": lambda _, event, other: event | {"event_id": other.get("event_id", "x")},
    "again": lambda _, __, other: other,
    "again later": lambda chance, event, _: (
        event | {"event_timestamp": event["event_timestamp"] + chance.choice(NEAR)}
    ),
    "answered": _answered,
    "other label": lambda chance, event, _: (
        event | {"type": "labelled", "text": "t", "label": chance.choice(("yes", "?", ""))}
    ),
    "many items": _with_items,
    "empty title": lambda _, event, __: event | {"type": "item", "title": ""},
    "new title": lambda chance, event, _: (
        _fresh(chance, event) | {"type": "item", "title": "x" * chance.choice((1, 20, 4096, 4097))}
    ),
    "tick": lambda chance, event, _: {
        "type": "tick",
        "event_timestamp": event["event_timestamp"] + chance.choice(NEAR),
    },
}
