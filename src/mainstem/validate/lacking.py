"""What a replay lacks, in words: classes that no setting names, samples, and trusted samples that nobody has met."""

from collections import Counter
from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Final

from mainstem.events.survey import Survey
from mainstem.printable import in_json
from mainstem.settings import Objectives, Settings

__all__ = ["counted", "unknown_classes", "unmet_trust", "why_no_samples", "why_not_joined"]

_MOST: Final = 5  # of what there is, named


def unknown_classes(labels: Mapping[str, int], objectives: Objectives) -> str:
    """Which classes of a log no setting names, and how to name them; empty where all are named.

    Example:
        >>> unknown_classes({"a": 2, "b": 1, "no": 5}, Objectives())
        "3 of 8 labelled texts are refused: MAINSTEM_OBJECTIVES__CLASSES ('no,yes') does not name 'a' (2), 'b' (1); set \
MAINSTEM_OBJECTIVES__CLASSES=no,yes,a,b"
        >>> unknown_classes({"a": 2, "b": 1}, Objectives())
        "all 3 labelled texts are refused: MAINSTEM_OBJECTIVES__CLASSES ('no,yes') does not name 'a' (2), 'b' (1); set \
MAINSTEM_OBJECTIVES__CLASSES=a,b"
    """
    known = objectives.class_names
    unknown = Counter({name: count for name, count in labels.items() if name not in known})
    if not unknown:
        return ""
    total, refused = sum(labels.values()), unknown.total()
    told = ", ".join(f"{name!r} ({count:,})" for name, count in unknown.most_common(_MOST))
    more = f" and {len(unknown) - _MOST:,} more" if len(unknown) > _MOST else ""
    who = f"all {total:,}" if refused == total else f"{refused:,} of {total:,}"
    kept = () if refused == total and len(unknown) > 1 else known
    return (
        f"{who} labelled texts are refused: MAINSTEM_OBJECTIVES__CLASSES ({','.join(known)!r}) does not name {told}{more}; "
        f"{_to_set([*kept, *sorted(unknown)])}"
    )


def why_no_samples(
    counts: Mapping[str, int], reasons: Sequence[tuple[str, str, int]], questions: str
) -> str:
    """Why no sample came of a log.

    Args:
        counts: of the ledger, over all partitions.
        reasons: why lines were refused: reason, path, how often.
        questions: what asks, `shown` or `purchases`.

    Example:
        >>> why_no_samples({"question": 3, "unknown_item": 3}, [], "shown")
        'no item event came before the 3 items that were asked about; send one for each, with title'
    """
    refused, unknown = counts.get("rejected", 0), counts.get("unknown_item", 0)
    if unknown:
        return f"no item event came before the {unknown:,} items that were asked about; send one for each, with title"
    if refused and not counts.get("question", 0):
        told = "; ".join(
            f"{count:,} x {reason} at {path}" for reason, path, count in reasons[:_MOST]
        )
        return f"{refused:,} lines were refused and no other asks: {told}; `mainstem validate LOG` tells more"
    if not counts.get("question", 0):
        kinds = "impression or view" if questions == "shown" else "purchase"
        return f"nothing in it asks: there is no {kinds}, nor a labelled text (MAINSTEM_JOIN__QUESTIONS is {questions!r})"
    return f"no question was answered; the ledger counts {counted(counts)}; `mainstem validate LOG` tells more"


def counted(ledger: Mapping[str, int]) -> str:
    """What a ledger counts, in words, without what it does not count.

    Example:
        >>> counted({"question": 1200, "late": 0, "duplicate": 3, "balance": 0})
        'question 1,200, duplicate 3'
    """
    return ", ".join(
        f"{name} {count:,}" for name, count in ledger.items() if count and name != "balance"
    )


def unmet_trust(met: int, named: int, example: str, asked: tuple[str, str | None] | None) -> str:
    """How many of somebody's own trusted samples a log has not; empty where it has all.

    Args:
        met: those that the log has.
        named: all.
        example: the id of one that it has not.
        asked: event id and item id of a question of the log.

    Example:
        >>> unmet_trust(0, 2, "s-1", ("e1", "cup"))
        '0 of 2 trusted samples are in this log; one that is not is s-1; a question of this log is \
{"event_id": "e1", "item_id": "cup"}'
    """
    if met >= named:
        return ""
    there = ""
    if asked:
        event_id, item_id = asked
        there = in_json({"event_id": event_id} | ({"item_id": item_id} if item_id else {}))
    verb = "is" if met == 1 else "are"
    return (
        f"{met:,} of {named:,} trusted samples {verb} in this log; one that is not is {example}"
        + (f"; a question of this log is {there}" if there else "")
    )


def _to_set(names: Sequence[str]) -> str:
    if any("," in name for name in names):
        return "a class in MAINSTEM_OBJECTIVES__CLASSES has no comma in its name: name the labels anew in the log"
    if len(names) > 20:
        return "name them all in MAINSTEM_OBJECTIVES__CLASSES, with commas between"
    return f"set MAINSTEM_OBJECTIVES__CLASSES={quote(','.join(names))}"


def why_not_joined(found: Survey, name: str, settings: Settings) -> str:
    """Why no sample can come of a log; empty where some may.

    Args:
        found: what the first reading of the log found.
        name: of the log.
        settings: of the objectives.
    """
    if found.newest < 0:
        reason = (
            found.refused_items[0][1].reason
            if found.refused_items
            else "no line is an event of a shopper"
        )
        there = f"{found.lines} lines, {len(found.items)} items"
        return f"nothing in {name!r} can be joined ({there}; {reason}); `mainstem import` makes a log from known sources"
    unknown = unknown_classes(found.labels, settings.objectives)
    if (
        unknown
        and found.asks == {"labelled"}
        and not set(found.labels) & set(settings.objectives.class_names)
    ):
        return f"nothing in {name!r} can be joined: {unknown}"
    return ""
