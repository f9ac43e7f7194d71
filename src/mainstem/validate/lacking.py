"""Says in words what a log lacks: classes that the settings name, samples, or trusted samples."""

from collections import Counter
from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Final

from mainstem.events.survey import Survey
from mainstem.printable import in_json
from mainstem.settings import Objectives, Settings

__all__ = ["counted", "unknown_classes", "unmet_trust", "why_no_samples", "why_not_joined"]

_MOST: Final = 5  # classes or reasons that are named; further ones are only counted


def unknown_classes(labels: Mapping[str, int], objectives: Objectives) -> str:
    """Say which classes of a log the setting `classes` does not name, and how to name them.

    Args:
        labels: number of labelled texts in the log, by class.
        objectives: the settings that name the classes.

    Returns:
        A sentence; empty if all classes are named.

    Example:
        >>> unknown_classes({"a": 2, "b": 1, "no": 5}, Objectives())
        "3 of 8 labelled texts are refused: \
MAINSTEM_OBJECTIVES__CLASSES ('no,yes') does not name 'a' (2), 'b' (1); \
set MAINSTEM_OBJECTIVES__CLASSES=no,yes,a,b"
    """
    known = objectives.class_names
    unknown = Counter({name: count for name, count in labels.items() if name not in known})
    if not unknown:
        return ""
    total, refused = sum(labels.values()), unknown.total()
    named = ", ".join(f"{name!r} ({count:,})" for name, count in unknown.most_common(_MOST))
    more = f" and {len(unknown) - _MOST:,} more" if len(unknown) > _MOST else ""
    who = f"all {total:,}" if refused == total else f"{refused:,} of {total:,}"
    # known classes that no text has are dropped, unless a single class would be left
    kept = () if refused == total and len(unknown) > 1 else known
    return (
        f"{who} labelled texts are refused: MAINSTEM_OBJECTIVES__CLASSES ({','.join(known)!r}) "
        f"does not name {named}{more}; {_to_set([*kept, *sorted(unknown)])}"
    )


def why_no_samples(
    counts: Mapping[str, int], reasons: Sequence[tuple[str, str, int]], questions: str
) -> str:
    """Say why a log made no sample.

    Args:
        counts: counts of the ledger, over all partitions.
        reasons: why lines were refused: reason, path and number of lines.
        questions: which events are questions, `shown` or `purchases`.

    Example:
        >>> why_no_samples({"question": 3, "unknown_item": 3}, [], "shown")
        'no item event came before the 3 items of questions; send one for each, with a title'
    """
    refused, unknown = counts.get("rejected", 0), counts.get("unknown_item", 0)
    more = "`mainstem validate LOG` shows more"
    if unknown:
        return (
            f"no item event came before the {unknown:,} items of questions; "
            "send one for each, with a title"
        )
    if refused and not counts.get("question", 0):
        why = "; ".join(
            f"{count:,} x {reason} at {path}" for reason, path, count in reasons[:_MOST]
        )
        return f"{refused:,} lines were refused and no other is a question: {why}; {more}"
    if not counts.get("question", 0):
        kinds = "impression or view" if questions == "shown" else "purchase"
        return (
            f"it has no question: there is neither {kinds} nor labelled text "
            f"(MAINSTEM_JOIN__QUESTIONS is {questions!r})"
        )
    return f"no question was answered; the ledger counts {counted(counts)}; {more}"


def counted(ledger: Mapping[str, int]) -> str:
    """List the counts of a ledger in words, without those that are 0.

    Example:
        >>> counted({"question": 1200, "late": 0, "duplicate": 3, "balance": 0})
        'question 1,200, duplicate 3'
    """
    return ", ".join(
        f"{name} {count:,}" for name, count in ledger.items() if count and name != "balance"
    )


def unmet_trust(met: int, named: int, example: str, asked: tuple[str, str | None] | None) -> str:
    """Say how many of the user's trusted samples a log has.

    Args:
        met: number of the trusted samples that the log has.
        named: number of all trusted samples.
        example: id of a trusted sample that the log lacks.
        asked: event id and item id of a question of the log, as a model for ids; None if the log
            has no question.

    Returns:
        A sentence; empty if the log has all of them.

    Example:
        >>> unmet_trust(0, 2, "s-1", ("e1", "cup"))
        '0 of 2 trusted samples are in this log; one that is not is s-1; \
a question of this log is {"event_id": "e1", "item_id": "cup"}'
    """
    if met >= named:
        return ""
    there = ""
    if asked:
        event_id, item_id = asked
        there = in_json({"event_id": event_id} | ({"item_id": item_id} if item_id else {}))
    verb = "is" if met == 1 else "are"
    model = f"; a question of this log is {there}" if there else ""
    return (
        f"{met:,} of {named:,} trusted samples {verb} in this log; "
        f"one that is not is {example}{model}"
    )


def _to_set(names: Sequence[str]) -> str:
    if any("," in name for name in names):
        return (
            "the name of a class in MAINSTEM_OBJECTIVES__CLASSES cannot have a comma; "
            "rename the labels in the log"
        )
    if len(names) > 20:
        return "name them all in MAINSTEM_OBJECTIVES__CLASSES, separated by commas"
    return f"set MAINSTEM_OBJECTIVES__CLASSES={quote(','.join(names))}"


def why_not_joined(found: Survey, name: str, settings: Settings) -> str:
    """Say why a log cannot make a sample; empty if it may.

    Args:
        found: what the first reading of the log found.
        name: name of the log, for the message.
        settings: settings that name the classes.
    """
    if found.newest < 0:
        reason = "no line is an event of a shopper"
        if found.refused_items:
            reason = found.refused_items[0][1].reason
        there = f"{found.lines} lines, {len(found.items)} items"
        return (
            f"nothing in {name!r} can be joined ({there}; {reason}); "
            "`mainstem import` makes a log from known sources"
        )
    unknown = unknown_classes(found.labels, settings.objectives)
    named = set(found.labels) & set(settings.objectives.class_names)
    if unknown and found.asks == {"labelled"} and not named:
        return f"nothing in {name!r} can be joined: {unknown}"
    return ""
