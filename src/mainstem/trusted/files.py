"""Trusted samples as users bring them: graded text pairs, and samples with a confirmed label.

A file of them is JSON lines, each in one of these forms.

    A graded text pair, as an event:
    {"type": "labelled", "event_id": ..., "text": ..., "pair": ..., "label": ..., "grade": ...}
    An item of a question:
    {"event_id": ..., "item_id": ..., "label": ...}
    A labelled text of the log:
    {"event_id": ..., "label": ...}
    A sample, as the history names it:
    {"sample_id": ..., "label": ...}

A label is the name of a class or its number; a grade is its relevance in [0, 1], and may be
missing. Of two lines for one sample the later one counts.
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
from mainstem.objectives import label_of_class
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

_NOBODY: Final = "0" * 64  # pseudonym of the shopper of a graded pair, which has none


class Vouched(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A confirmed label for a sample of the stream.

    Attributes:
        sample_id: id of the sample.
        question_id: id of its question, if known; samples of one question belong to one part.
        label: name of the class.
        event_id: id of the event of a labelled text whose item the user did not name. If it is
            set, `sample_id` is a placeholder until the log tells the item.
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
        lines: lines in the forms above; empty lines are skipped.
        objectives: settings that name the classes.

    Raises:
        TrustError: if a line cannot be read or names no class. Reading ends at the first such
            line, because half a file of trusted samples is of no use.

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
    """Add trusted samples to a home's file, all or none; return how many are new or changed."""
    kept = {_key(one): one for one in trusted_in(file)}
    before = dict(kept)
    for one in more:
        kept.pop(_key(one), None)  # the later one counts, and moves to the end
        kept[_key(one)] = one
    lines = (
        encode(one) if isinstance(one, Labelled) else msgspec.json.encode(one)
        for one in kept.values()
    )
    write_whole(file, b"".join(line + b"\n" for line in lines))
    return sum(before.get(key) != one for key, one in kept.items())


def trusted_in(file: Path) -> list[Labelled | Vouched]:
    """The trusted samples of a home's file, in the order in which they were added.

    The list is empty if there is no file.
    """
    if not file.exists() or not file.stat().st_size:
        return []
    return [_stored(raw) for raw in read_lines(file)]


def load_trust(
    file: Path, settings: Settings, log: Iterable[bytes] = ()
) -> tuple[Trust, list[Sample], str]:
    """The trusted samples of a home.

    Args:
        file: file of the home's trusted samples.
        settings: settings that name the classes and give the shares of the parts.
        log: lines of the log; read only if a trusted labelled text has no item named.

    Returns:
        The trust; the graded pairs as samples; and 32 hex digits that identify the set of trusted
        samples, or an empty string if there are none.

    Raises:
        TrustError: if a label is no class of these settings.
    """
    found = _found(trusted_in(file), log)
    graded = [graded_of(one, settings.objectives) for one in found if isinstance(one, Labelled)]
    confirmed = [confirmed_of(one, settings) for one in found]
    lines = sorted(msgspec.json.encode(one) for one in confirmed)
    digest = hashlib.blake2b(b"".join(lines), digest_size=16).hexdigest()
    return Trust(settings, confirmed), graded, digest if found else ""


def graded_of(event: Labelled, objectives: Objectives) -> Sample:
    """A graded pair as a sample.

    Raises:
        TrustError: if its label is no class of these objectives.
    """
    number = _class_of(event.label, objectives)
    return labelled_sample(event, _NOBODY, number, objectives)


def confirmed_of(one: Labelled | Vouched, settings: Settings) -> Confirmed:
    """A trusted sample with its part; by a hash the three parts get their shares.

    Raises:
        TrustError: if its label is no class of these settings.
    """
    objectives = settings.objectives
    number, grade = _class_of(one.label, objectives), getattr(one, "grade", None)
    names, classes = objectives.objective_names, len(objectives.class_names)
    label = label_of_class(number, classes, grade, names)
    if isinstance(one, Labelled):
        sample = graded_of(one, objectives)
        part = part_of(settings, sample.question_id, whole=True)
        return Confirmed(sample_id=sample.sample_id, part=part, label=label, origin="graded")
    part = part_of(settings, one.question_id or one.sample_id, whole=True)
    return Confirmed(sample_id=one.sample_id, part=part, label=label, origin="confirmed")


def _known(raw: bytes, objectives: Objectives) -> Labelled | Vouched:
    if msgspec.json.decode(raw, type=dict[str, Any]).get("type") == "labelled":
        event = decode(raw)
        if not isinstance(event, Labelled):
            msg = "not a labelled text"
            if isinstance(event, Refusal):
                msg = f"{event.reason} at {event.path}"
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
    """The named samples; those of labelled texts get sample ids by the items found in the log."""
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
    if isinstance(one, Labelled):
        return uuid_of("sample", one.event_id, one.item_id or "")
    return one.sample_id


def _cut(raw: bytes) -> str:
    text = raw[:100].decode(errors="replace")
    return repr(text) + ("..." if len(raw) > len(text) else "")
