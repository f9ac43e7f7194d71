"""Trusted samples as people bring them: graded text pairs, or samples of the stream whose label somebody confirmed.

A file of them is JSON lines, each one of

    {"type": "labelled", "event_id": ..., "text": ..., "pair": ..., "label": ...}     a graded text pair, as an event
    {"event_id": ..., "item_id": ..., "label": ...}                                   an item of a question
    {"event_id": ..., "label": ...}                                                   a labelled text of the log
    {"sample_id": ..., "label": ...}                                                  a sample, as the history names it

A label is the name of a class or its number. Of two lines for one sample the later one holds.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from mainstem.disk import write_whole
from mainstem.errors import TrustError
from mainstem.events import Labelled, Refusal, decode, encode, read_lines
from mainstem.ids import uuid_of
from mainstem.join import Sample
from mainstem.join.labelled import labelled_sample
from mainstem.settings import Objectives, Settings
from mainstem.trusted import Confirmed, Trust, part_of

__all__ = [
    "Vouched",
    "add_trusted",
    "confirmed_of",
    "graded_of",
    "load_trust",
    "read_trusted",
    "trusted_in",
]

_NOBODY: Final = "0" * 64  # pseudonym of the reader of a graded pair


class Vouched(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A label that somebody vouches for, of a sample of the stream.

    Attributes:
        sample_id: of the sample.
        question_id: of its question, where that is known: samples of one question go to one part.
        label: name of a class.
        event_id: of a labelled text whose item was not named: if it has one, `sample_id` is not yet that of its sample.
    """

    sample_id: UUID
    label: str
    question_id: UUID | None = None
    event_id: str | None = None


class _Line(Struct, frozen=True, kw_only=True):
    label: Annotated[str, Meta(min_length=1)] | int
    sample_id: UUID | None = None
    event_id: str | None = None
    item_id: str | None = None


def read_trusted(lines: Iterable[bytes], objectives: Objectives) -> Iterator[Labelled | Vouched]:
    """Read trusted samples from the lines of a file.

    Args:
        lines: see above; empty ones are skipped.
        objectives: its classes are the labels there are.

    Raises:
        TrustError: at the first line that cannot be read or names no class. Half of a file is of no use: what is believed
            must be known.

    Example:
        >>> [one] = read_trusted([b'{"event_id":"e1","item_id":"cup","label":1}'], Objectives())
        >>> one.label
        'yes'
    """
    for number, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        try:
            yield _known(raw, objectives)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            msg = (
                f"line {number} is no trusted sample ({error}); got {_cut(raw)}; mend or remove it"
            )
            raise TrustError(msg) from error


def add_trusted(file: Path, more: Iterable[Labelled | Vouched]) -> int:
    """Add trusted samples to a home's file, whole or not at all; gives how many are new or changed."""
    kept = {_key(one): one for one in trusted_in(file)}
    before = dict(kept)
    for one in more:
        kept.pop(_key(one), None)  # the later one holds, and stands later
        kept[_key(one)] = one
    lines = (
        encode(one) if isinstance(one, Labelled) else msgspec.json.encode(one)
        for one in kept.values()
    )
    write_whole(file, b"".join(line + b"\n" for line in lines))
    return sum(before.get(key) != one for key, one in kept.items())


def trusted_in(file: Path) -> list[Labelled | Vouched]:
    """The trusted samples of a home's file, the later added later; none if there is no file."""
    return (
        [_stored(raw) for raw in read_lines(file)] if file.exists() and file.stat().st_size else []
    )


def load_trust(
    file: Path, settings: Settings, log: Iterable[bytes] = ()
) -> tuple[Trust, list[Sample], str]:
    """What a home believes.

    Args:
        file: the home's.
        settings: which classes and parts there are.
        log: its lines; read only where a labelled text is trusted whose item was not named.

    Returns:
        The trust, the graded pairs as samples, and 32 hex digits that tell one set of trusted samples from another (empty
        where there are none).

    Raises:
        TrustError: if a label is no class of these settings.
    """
    found = _found(trusted_in(file), log)
    graded = [graded_of(one, settings.objectives) for one in found if isinstance(one, Labelled)]
    confirmed = [confirmed_of(one, settings) for one in found]
    digest = hashlib.blake2b(
        b"".join(sorted(msgspec.json.encode(one) for one in confirmed)), digest_size=16
    ).hexdigest()
    return Trust(settings, confirmed), graded, digest if found else ""


def graded_of(event: Labelled, objectives: Objectives) -> Sample:
    """A graded pair as a sample."""
    return labelled_sample(event, _NOBODY, _class_of(event.label, objectives))


def confirmed_of(one: Labelled | Vouched, settings: Settings) -> Confirmed:
    """A trusted sample in its part: the three divide all of them, in proportion to their shares."""
    label = _class_of(one.label, settings.objectives)
    if isinstance(one, Labelled):
        sample = graded_of(one, settings.objectives)
        part = part_of(settings, sample.question_id, whole=True)
        return Confirmed(sample_id=sample.sample_id, part=part, label=label, origin="graded")
    part = part_of(settings, one.question_id or one.sample_id, whole=True)
    return Confirmed(sample_id=one.sample_id, part=part, label=label, origin="confirmed")


def _known(raw: bytes, objectives: Objectives) -> Labelled | Vouched:
    if msgspec.json.decode(raw, type=dict[str, Any]).get("type") == "labelled":
        event = decode(raw)
        if not isinstance(event, Labelled):
            msg = (
                f"{event.reason} at {event.path}"
                if isinstance(event, Refusal)
                else "not a labelled text"
            )
            raise ValueError(msg)
        _class_of(event.label, objectives)
        return event
    line = msgspec.json.decode(raw, type=_Line)
    label = objectives.class_names[_class_of(line.label, objectives)]
    if line.sample_id:
        return Vouched(sample_id=line.sample_id, label=label)
    if line.event_id is None:
        msg = (
            "it has neither `sample_id`, nor `event_id` (with `item_id`, but for a labelled text), "
            "nor a `text` and `type` `labelled`"
        )
        raise ValueError(msg)
    return Vouched(
        sample_id=uuid_of("sample", line.event_id, line.item_id or ""),
        question_id=uuid_of("question", line.event_id),
        label=label,
        event_id=None if line.item_id else line.event_id,
    )


def _found(named: list[Labelled | Vouched], log: Iterable[bytes]) -> list[Labelled | Vouched]:
    """Those that were named, with the samples that labelled texts have, because the log tells their items."""
    wanted = {one.event_id for one in named if isinstance(one, Vouched) and one.event_id}
    if not wanted:
        return named
    items = {
        event.event_id: event.item_id
        for event in map(decode, log)
        if isinstance(event, Labelled) and event.item_id and event.event_id in wanted
    }
    return [
        msgspec.structs.replace(one, sample_id=uuid_of("sample", one.event_id, items[one.event_id]))
        if isinstance(one, Vouched) and one.event_id in items
        else one
        for one in named
    ]


def _class_of(label: str | int, objectives: Objectives) -> int:
    names = objectives.class_names
    if isinstance(label, int):
        if 0 <= label < len(names):
            return label
    elif label in names:
        return names.index(label)
    msg = f"label {label!r} is no class; the setting `classes` names {', '.join(names)}"
    raise TrustError(msg)


def _stored(raw: bytes) -> Labelled | Vouched:
    event = decode(raw)
    return event if isinstance(event, Labelled) else msgspec.json.decode(raw, type=Vouched)


def _key(one: Labelled | Vouched) -> UUID:
    return (
        uuid_of("sample", one.event_id, one.item_id or "")
        if isinstance(one, Labelled)
        else one.sample_id
    )


def _cut(raw: bytes) -> str:
    text = raw[:100].decode(errors="replace")
    return repr(text) + ("..." if len(raw) > len(text) else "")
