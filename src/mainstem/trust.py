"""Trusted samples as people bring them: graded text pairs, or samples of the stream whose label somebody confirmed.

A file of them is JSON lines, each one of

    {"type": "labelled", "event_id": ..., "text": ..., "pair": ..., "label": ...}     a graded text pair, as an event
    {"event_id": ..., "item_id": ..., "label": ...}                                   an item of a question
    {"sample_id": ..., "label": ...}                                                  a sample, as the history names it

A label is the name of a class or its number. Of two lines for one sample the later one holds.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from mainstem.errors import TrustError
from mainstem.events import Labelled, Refusal, decode, encode, read_lines
from mainstem.ids import uuid_of
from mainstem.join import Sample
from mainstem.join.labelled import labelled_sample
from mainstem.join.route import partition_of_question
from mainstem.settings import Settings
from mainstem.standing import PARTS, Confirmed, Trust, part_of

__all__ = [
    "SEEN",
    "Vouched",
    "add_trusted",
    "confirmed_of",
    "graded_of",
    "load_trust",
    "named_in",
    "read_trusted",
    "status_of",
]

_NOBODY: Final = "0" * 64  # pseudonym of the reader of a graded pair


class Vouched(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A label that somebody vouches for, of a sample of the stream.

    Attributes:
        sample_id: of the sample.
        question_id: of its question, where that is known: samples of one question go to one part.
        label: name of a class.
    """

    sample_id: UUID
    label: str
    question_id: UUID | None = None


class _Line(Struct, frozen=True, kw_only=True):
    label: Annotated[str, Meta(min_length=1)] | int
    sample_id: UUID | None = None
    event_id: str | None = None
    item_id: str | None = None


def read_trusted(lines: Iterable[bytes], settings: Settings) -> Iterator[Labelled | Vouched]:
    """Read trusted samples from the lines of a file.

    Args:
        lines: see above; empty ones are skipped.
        settings: its classes are the labels there are.

    Raises:
        TrustError: at the first line that cannot be read or names no class. Half of a file is of no use: what is believed
            must be known.

    Example:
        >>> [one] = read_trusted([b'{"event_id":"e1","item_id":"cup","label":1}'], Settings())
        >>> one.label
        'yes'
    """
    for number, raw in enumerate(lines, start=1):
        if not raw.strip():
            continue
        try:
            yield _known(raw, settings)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            msg = f"line {number} is no trusted sample ({error}); got {_cut(raw)}; mend or remove it"
            raise TrustError(msg) from error


def add_trusted(file: Path, more: Iterable[Labelled | Vouched]) -> int:
    """Add trusted samples to a home's file, whole or not at all; gives how many are new or changed."""
    kept = {_key(one): one for one in (_stored(raw) for raw in _lines_of(file))}
    before = dict(kept)
    for one in more:
        kept.pop(_key(one), None)  # the later one holds, and stands later
        kept[_key(one)] = one
    half = file.with_name(f"{file.name}.half")
    with half.open("wb") as opened:
        for one in kept.values():
            opened.write((encode(one) if isinstance(one, Labelled) else msgspec.json.encode(one)) + b"\n")
    half.replace(file)
    return sum(before.get(key) != one for key, one in kept.items())


def load_trust(file: Path, settings: Settings) -> tuple[Trust, list[Sample], str]:
    """What a home believes.

    Returns:
        The trust, the graded pairs as samples, and 32 hex digits that tell one set of trusted samples from another (empty
        where there are none).

    Raises:
        TrustError: if a label is no class of these settings.
    """
    found = [_stored(raw) for raw in _lines_of(file)]
    graded = [graded_of(one, settings) for one in found if isinstance(one, Labelled)]
    confirmed = [confirmed_of(one, settings) for one in found]
    digest = hashlib.blake2b(b"".join(sorted(msgspec.json.encode(one) for one in confirmed)), digest_size=16).hexdigest()
    return Trust(settings, confirmed), graded, digest if found else ""


SEEN: Final = """
    SELECT t.part AS part, ifNull(t.label, s.label) AS class, s.partition AS partition, t.origin AS origin, count() AS there
    FROM (SELECT * FROM trusted_now) AS t INNER JOIN (SELECT sample_id, label, partition FROM samples_now) AS s
    ON t.sample_id = s.sample_id GROUP BY part, class, partition, origin"""
"""Trusted samples that the stream has brought: part, class, partition, origin, how many."""


def named_in(file: Path, settings: Settings) -> list[tuple[str, int, int, str, int]]:
    """The trusted samples of a home's file, in rows like those of `SEEN`, before a replay has met any."""
    counts: Counter[tuple[str, int, int, str]] = Counter()
    for one in map(_stored, _lines_of(file)):
        confirmed = confirmed_of(one, settings)
        of = uuid_of("question", one.event_id) if isinstance(one, Labelled) else one.question_id or one.sample_id
        counts[confirmed.part, confirmed.label, partition_of_question(of, settings.partitions), confirmed.origin] += 1
    return [(*key, count) for key, count in counts.items()]


def status_of(seen: Iterable[tuple[str, int, int, str, int]], settings: Settings) -> list[tuple[Any, ...]]:
    """What there is of trusted samples, and what cannot be said for want of them.

    Args:
        seen: rows as `SEEN` gives them.
        settings: what is needed.

    Returns:
        Rows (part, stratum, partition, origin, there, needed, what follows). A stratum of canaries is a label in a
        partition, since each partition is judged by itself.

    Example:
        >>> status_of([("gate", 1, 0, "graded", 40)], Settings(canary_minimum=2))[-1]
        ('gate', 'all', 'all', 'graded', 40, 100, 'the newest samples judge versions until there are enough')
    """
    counts: Counter[tuple[str, int, int]] = Counter()
    origins: dict[str, set[str]] = {part: set() for part in PARTS}
    for part, label, partition, origin, there in seen:
        counts[part, label, partition] += there
        origins[part].add(origin)
    origin_of = {part: ", ".join(sorted(found)) or "none" for part, found in origins.items()}
    totals = {part: sum(count for (of, *_), count in counts.items() if of == part) for part in PARTS}
    rows: list[tuple[Any, ...]] = [("direction", "all", "all", origin_of["direction"], totals["direction"], 1, "")]
    for partition in range(settings.partitions):
        each = [counts["canary", label, partition] for label in range(len(settings.class_names))]
        for name, there in zip(settings.class_names, each, strict=True):
            follows = _verdicts(there, sum(each), origins["canary"], settings.canary_minimum)
            rows.append(("canary", name, partition, origin_of["canary"], there, settings.canary_minimum, follows))
    enough = totals["gate"] >= settings.gate_minimum
    follows = "they judge versions" if enough else "the newest samples judge versions until there are enough"
    return [*rows, ("gate", "all", "all", origin_of["gate"], totals["gate"], settings.gate_minimum, follows)]


def _verdicts(there: int, of_all: int, origins: set[str], needed: int) -> str:
    """What follows from the number of canaries of a label and of all labels in a partition."""
    if origins <= {"assumed"}:
        return "nothing is called contradictory: nobody vouches for a label"
    if there >= needed:
        return "verdicts are held against canaries of this label"
    if of_all >= needed:
        return "verdicts fall back to the canaries of all labels"
    return f"no verdicts: {needed - of_all} canaries of any label are missing"


def graded_of(event: Labelled, settings: Settings) -> Sample:
    """A graded pair as a sample."""
    return labelled_sample(event, _NOBODY, _class_of(event.label, settings))


def confirmed_of(one: Labelled | Vouched, settings: Settings) -> Confirmed:
    """A trusted sample in its part: the three divide all of them, in proportion to their shares."""
    label = _class_of(one.label, settings)
    if isinstance(one, Labelled):
        sample = graded_of(one, settings)
        part = part_of(settings, sample.question_id, whole=True)
        return Confirmed(sample_id=sample.sample_id, part=part, label=label, origin="graded")
    part = part_of(settings, one.question_id or one.sample_id, whole=True)
    return Confirmed(sample_id=one.sample_id, part=part, label=label, origin="confirmed")


def _known(raw: bytes, settings: Settings) -> Labelled | Vouched:
    if msgspec.json.decode(raw, type=dict[str, Any]).get("type") == "labelled":
        event = decode(raw)
        if not isinstance(event, Labelled):
            msg = f"{event.reason} at {event.path}" if isinstance(event, Refusal) else "not a labelled text"
            raise ValueError(msg)
        _class_of(event.label, settings)
        return event
    line = msgspec.json.decode(raw, type=_Line)
    label = settings.class_names[_class_of(line.label, settings)]
    if line.sample_id:
        return Vouched(sample_id=line.sample_id, label=label)
    if line.event_id is None or line.item_id is None:
        msg = "it has neither `sample_id`, nor `event_id` and `item_id`, nor a `text` and `type` `labelled`"
        raise ValueError(msg)
    return Vouched(
        sample_id=uuid_of("sample", line.event_id, line.item_id),
        question_id=uuid_of("question", line.event_id),
        label=label,
    )


def _class_of(label: str | int, settings: Settings) -> int:
    names = settings.class_names
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


def _lines_of(file: Path) -> list[bytes]:
    return list(read_lines(file)) if file.exists() and file.stat().st_size else []


def _key(one: Labelled | Vouched) -> UUID:
    return uuid_of("sample", one.event_id, one.item_id or "") if isinstance(one, Labelled) else one.sample_id


def _cut(raw: bytes) -> str:
    text = raw[:100].decode(errors="replace")
    return repr(text) + ("..." if len(raw) > len(text) else "")
