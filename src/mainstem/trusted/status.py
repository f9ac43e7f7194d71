"""How many trusted samples there are, what is missing, and how many labels they prove wrong."""

from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, Final

from mainstem.events import Labelled
from mainstem.ids import uuid_of
from mainstem.join.route import partition_of_question
from mainstem.settings import Settings
from mainstem.trusted import PARTS
from mainstem.trusted.files import confirmed_of, trusted_in

__all__ = ["given_labels", "named_in", "status_of"]

_TRUSTED: Final = PARTS[1:]  # without the stream
_LEARNT: Final = (
    "verdicts compare with confirmed samples of all labels that the log has right: evidence has"
    " learnt from them"
)


def named_in(file: Path, settings: Settings) -> list[tuple[str, int, int, str, int]]:
    """Count the trusted samples of a home's file, before a replay has met any of them.

    Args:
        file: file of the home's trusted samples.
        settings: settings that name the classes, the parts and the number of partitions.

    Returns:
        Rows (part, class, partition, origin, count), like those of `store.trusted`.
    """
    counts: Counter[tuple[str, int, int, str]] = Counter()
    for one in trusted_in(file):
        confirmed = confirmed_of(one, settings)
        if isinstance(one, Labelled):
            question = uuid_of("question", one.event_id)
        else:
            question = one.question_id or one.sample_id
        partition = partition_of_question(question, settings.join.partitions)
        counts[confirmed.part, confirmed.label, partition, confirmed.origin] += 1
    return [(*key, count) for key, count in counts.items()]


def status_of(
    seen: Iterable[tuple[str, int, int, str, int]],
    settings: Settings,
    learnt: Collection[int] = (),
) -> list[tuple[Any, ...]]:
    """How many trusted samples there are and are needed, and what follows from a lack.

    Args:
        seen: rows (part, class, partition, origin, count).
        settings: settings with the needed numbers.
        learnt: partitions whose newest judgement compared with what evidence had learnt from.

    Returns:
        Rows (part, stratum, partition, origin, count, needed, consequence). A stratum of canaries
        is a label in a partition, because each partition is judged by itself.

    Example:
        >>> settings = Settings.of({"standing.canary_minimum": 2})
        >>> *_, last = status_of([("gate", 1, 0, "graded", 40)], settings)
        >>> last[4:]
        (40, 100, 'the newest samples judge versions until there are enough')
    """
    counts: Counter[tuple[str, int, int]] = Counter()
    origins: dict[str, set[str]] = {part: set() for part in PARTS}
    for part, label, partition, origin, there in seen:
        counts[part, label, partition] += there
        origins[part].add(origin)
    origin_of = {part: ", ".join(sorted(found)) or "none" for part, found in origins.items()}
    totals = {
        part: sum(count for (of, *_), count in counts.items() if of == part) for part in PARTS
    }
    names, needed = settings.objectives.label_names, settings.standing.canary_minimum
    rows: list[tuple[Any, ...]] = [
        ("direction", "all", "all", origin_of["direction"], totals["direction"], 1, "")
    ]
    for partition in range(settings.join.partitions):
        each = [counts["canary", label, partition] for label in range(len(names))]
        for name, there in zip(names, each, strict=True):
            follows = (
                _LEARNT
                if partition in learnt
                else _verdicts(there, sum(each), origins["canary"], needed)
            )
            origin = origin_of["canary"]
            rows.append(("canary", name, partition, origin, there, needed, follows))
    there, needed = totals["gate"], settings.learning.gate_minimum
    too_few = "the newest samples judge versions until there are enough"
    follows = "they judge versions" if there >= needed else too_few
    rows.append(("gate", "all", "all", origin_of["gate"], there, needed, follows))
    return rows


def given_labels(
    counted: Iterable[tuple[str, int, int, int]], settings: Settings
) -> list[tuple[Any, ...]]:
    """How many samples were confirmed by the label that the log gave them, and how many are wrong.

    Args:
        counted: rows (part, label in the log, count, wrong ones among them).
        settings: settings that name the labels.

    Returns:
        Rows (given label, direction, canary, gate, confirmed, wrong, share wrong), the last one of
        all labels; none if no sample was confirmed. A share is from 0 to 1.

    Example:
        >>> given_labels([("gate", 1, 4, 1), ("canary", 1, 6, 1), ("gate", 0, 2, 0)], Settings())
        ... # doctest: +NORMALIZE_WHITESPACE
        [('no', 0, 0, 2, 2, 0, 0.0),
         ('yes', 0, 6, 4, 10, 2, 0.2),
         ('all', 0, 6, 6, 12, 2, 0.1667)]
    """
    there: Counter[tuple[str, int]] = Counter()
    wrong: Counter[int] = Counter()
    for part, label, count, mistaken in counted:
        there[part, label] += count
        wrong[label] += mistaken
    names, labels = settings.objectives.label_names, sorted({label for _, label in there})
    counts = [[there[part, label] for part in _TRUSTED] for label in labels]
    # a home that was made with other settings may have more labels than these name
    rows = [
        (names[label] if label < len(names) else str(label), each, wrong[label])
        for label, each in zip(labels, counts, strict=True)
    ]
    if rows:
        rows.append(("all", [sum(column) for column in zip(*counts, strict=True)], wrong.total()))
    return [
        (name, *each, sum(each), mistaken, round(mistaken / sum(each), 4))
        for name, each, mistaken in rows
    ]


def _verdicts(there: int, of_all: int, origins: set[str], needed: int) -> str:
    """The consequence of the numbers of canaries with one label and with any label."""
    if origins <= {"assumed"}:
        return "nothing is called contradictory: the labels are only assumed"
    if there >= needed:
        return "verdicts compare with the canaries of this label"
    if of_all >= needed:
        return "verdicts compare with the canaries of all labels"
    return f"no verdicts: {needed - of_all} canaries of any label are missing"
