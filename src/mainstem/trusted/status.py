"""What there is of trusted samples, by part, class and partition, and what cannot be said for want of them."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mainstem.events import Labelled
from mainstem.ids import uuid_of
from mainstem.join.route import partition_of_question
from mainstem.settings import Settings
from mainstem.trusted import PARTS
from mainstem.trusted.files import confirmed_of, trusted_in

__all__ = ["named_in", "status_of"]


def named_in(file: Path, settings: Settings) -> list[tuple[str, int, int, str, int]]:
    """The trusted samples of a home's file, in rows like those of `store.trusted`, before a replay has met any."""
    counts: Counter[tuple[str, int, int, str]] = Counter()
    for one in trusted_in(file):
        confirmed = confirmed_of(one, settings)
        of = (
            uuid_of("question", one.event_id)
            if isinstance(one, Labelled)
            else one.question_id or one.sample_id
        )
        counts[
            confirmed.part,
            confirmed.label,
            partition_of_question(of, settings.join.partitions),
            confirmed.origin,
        ] += 1
    return [(*key, count) for key, count in counts.items()]


def status_of(
    seen: Iterable[tuple[str, int, int, str, int]], settings: Settings
) -> list[tuple[Any, ...]]:
    """What there is of trusted samples, and what cannot be said for want of them.

    Args:
        seen: rows of (part, class, partition, origin, how many).
        settings: what is needed.

    Returns:
        Rows (part, stratum, partition, origin, there, needed, what follows). A stratum of canaries is a label in a
        partition, since each partition is judged by itself.

    Example:
        >>> status_of([("gate", 1, 0, "graded", 40)], Settings.of({"standing.canary_minimum": 2}))[-1]
        ('gate', 'all', 'all', 'graded', 40, 100, 'the newest samples judge versions until there are enough')
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
    rows: list[tuple[Any, ...]] = [
        ("direction", "all", "all", origin_of["direction"], totals["direction"], 1, "")
    ]
    for partition in range(settings.join.partitions):
        each = [
            counts["canary", label, partition]
            for label in range(len(settings.objectives.class_names))
        ]
        for name, there in zip(settings.objectives.class_names, each, strict=True):
            follows = _verdicts(
                there, sum(each), origins["canary"], settings.standing.canary_minimum
            )
            rows.append(
                (
                    "canary",
                    name,
                    partition,
                    origin_of["canary"],
                    there,
                    settings.standing.canary_minimum,
                    follows,
                )
            )
    enough = totals["gate"] >= settings.learning.gate_minimum
    follows = (
        "they judge versions"
        if enough
        else "the newest samples judge versions until there are enough"
    )
    return [
        *rows,
        (
            "gate",
            "all",
            "all",
            origin_of["gate"],
            totals["gate"],
            settings.learning.gate_minimum,
            follows,
        ),
    ]


def _verdicts(there: int, of_all: int, origins: set[str], needed: int) -> str:
    """What follows from the number of canaries of a label and of all labels in a partition."""
    if origins <= {"assumed"}:
        return "nothing is called contradictory: nobody vouches for a label"
    if there >= needed:
        return "verdicts are held against canaries of this label"
    if of_all >= needed:
        return "verdicts fall back to the canaries of all labels"
    return f"no verdicts: {needed - of_all} canaries of any label are missing"
