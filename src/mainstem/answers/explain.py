"""The story of one sample: what the history, and the log where it is at hand, say of how it came to stand where it stands.

Nothing is scored or judged again. What that gives up: of the canaries' evidence the history holds only how many were at
least as doubtful, which follows from the p-value.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

from mainstem.errors import LogError, StoreError
from mainstem.events import Impression, Outcome, View, decode, read_lines
from mainstem.ids import uuid_of
from mainstem.join.catalogue import Catalogue
from mainstem.join.fold import Fold
from mainstem.join.state import JoinState
from mainstem.settings import Settings
from mainstem.store.figures import VISITS, figures_of
from mainstem.store.story import BEGINNING, CANARIES, LABELS, MOVES, ROUNDS, Canaries, Move
from mainstem.store.suggestions import SAMPLE_IDS

__all__ = ["MEANINGS", "Ask", "events_of", "ids_beginning", "story_of"]

Row: TypeAlias = dict[str, Any]
Ask: TypeAlias = Callable[..., list[list[Any]]]
"""The rows of each of some queries, given with their parameters."""
MEANINGS: Final = {
    "new": "It has too few visits to be core or spent; each version that scores it adds one.",
    "too few canaries": "There were too few canaries to hold it against, so nothing is said of it yet.",
    "undecided": "Nothing speaks against its label; it is neither important enough for core nor surely spent.",
    "doubtful": "The model disagrees with it more than with most canaries: too doubtful for core, not proven wrong.",
    "important": "Its label holds against the canaries, and it would move the model more than most: worth learning.",
    "contradictory": "The model disagrees so much more than with canaries that its label is called wrong; not drawn.",
    "spent": "Its label holds against the canaries, but it has nothing left to teach the model; not drawn.",
}
"""What each reason of a standing says, in plain words."""
_OF_LABEL: Final = ("label_version", "label", "outcomes")


def story_of(sample_id: str, settings: Settings, ask: Ask) -> Row:
    """All that the history knows of a sample, as plain values.

    Args:
        sample_id: its id.
        settings: `canary_minimum` and `horizon` say which canaries it was held against.
        ask: the history.

    Returns:
        sample_id; standing, reason, meaning, since; importance, and now (all that its visits add up to); None where it was
        never judged, or never scored; question, labels (one for each label version), visits (with running means), verdicts
        (moves, each with its stratum of canaries; their figures are as of their judgement), rounds (those that drew it).

    Raises:
        StoreError: if there is no such sample.
    """
    queries = (LABELS, VISITS, MOVES, CANARIES, ROUNDS)
    labels, visits, moves, canaries, rounds = ask(
        *queries, sample=sample_id, horizon=settings.responses.horizon
    )
    if not labels:
        msg = f"no sample {sample_id} in this history; `mainstem sql {SAMPLE_IDS!r}` lists some"
        raise StoreError(msg)
    told = {
        one.label_version: one.label for one in (*labels, *visits)
    }  # scored may be another than the log's
    now = figures_of(visits)
    last: Move | None = moves[-1] if moves else None
    return {
        "sample_id": sample_id,
        "standing": last and last.standing,
        "reason": last and last.reason,
        "meaning": MEANINGS.get(last.reason if last else "", "It has not been judged."),
        "since": _since(moves),
        "importance": now.importance,
        "now": now._asdict() if visits else None,
        "question": {
            name: value for name, value in labels[-1]._asdict().items() if name not in _OF_LABEL
        },
        "labels": [{name: getattr(label, name) for name in _OF_LABEL} for label in labels],
        "visits": [visit._asdict() for visit in visits],
        "verdicts": list(_verdicts(moves, canaries, told, settings)),
        "rounds": [one._asdict() for one in rounds],
    }


def ids_beginning(beginning: str, ask: Ask) -> list[str]:
    """Ids of samples that begin so, three at most; reads one column of all samples."""
    [found] = ask(BEGINNING, beginning=beginning)
    return [row.sample_id for row in found]


def events_of(log: Path, question: Mapping[str, Any], settings: Settings) -> list[Row]:
    """The events in a log that made a sample, in event time order: its question, and the outcomes that answered it.

    The join's own fold says which outcomes those are, over this shopper's events in event time order. What came too late
    for `grace` is therefore here, though the replay may have let it go.

    Args:
        log: JSON lines; it is read twice.
        question: of the sample's story.
        settings: the windows.

    Returns:
        line (the first is 1), event_time, kind and event_id of each.

    Raises:
        LogError: if the log cannot be read, or does not hold the question.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as log:
        ...     _ = log.write(b'{"type":"view","event_id":"v","user_id":"u","event_timestamp":5,"item_id":"cup"}')
        ...     log.flush()
        ...     asked = {"question_id": uuid_of("question", "v"), "event_timestamp": 5, "source": "view", "item_id": "cup"}
        ...     [(event["line"], event["event_id"]) for event in events_of(Path(log.name), asked, Settings())]
        [(1, 'v')]
    """
    asked = next((event for event in _decoded(log) if _asks(event, question)), None)
    if asked is None:
        msg = f"the log {str(log)!r} does not hold the question of {question['event_time']}; give the log that was replayed"
        raise LogError(msg)
    lines: dict[str, tuple[int, Any]] = {}
    for line, event in enumerate(_decoded(log), 1):
        if getattr(event, "user_id", None) == asked.user_id:
            lines.setdefault(event.event_id, (line, event))
    answers = (
        []
        if question["source"] == "drawn"
        else _answers(asked, [event for _, event in lines.values()], question, settings)
    )
    return [
        {
            "line": lines[event_id][0],
            "event_time": _time_of(lines[event_id][1]),
            "kind": type(lines[event_id][1]).__name__.lower(),
            "event_id": event_id,
        }
        for event_id in [asked.event_id, *answers]
    ]


def _decoded(log: Path) -> Iterator[Any]:
    yield from map(decode, read_lines(log))


def _time_of(event: Any) -> str:
    """As the history prints times."""
    return str(datetime.fromtimestamp(event.event_timestamp / 1000, UTC).replace(tzinfo=None))


def _asks(event: Any, question: Mapping[str, Any]) -> bool:
    if getattr(event, "event_timestamp", None) != question["event_timestamp"]:
        return False
    return str(uuid_of("question", getattr(event, "event_id", ""))) == str(question["question_id"])


def _answers(
    asked: Any, events: Sequence[Any], question: Mapping[str, Any], settings: Settings
) -> list[str]:
    """Event ids of the outcomes that one shopper's events give to one item of a question."""
    mode = "purchases" if question["source"] == "purchase" else "shown"
    fold = Fold(JoinState(), settings.but({"join.questions": mode}), Catalogue())
    kept: list[Any] = [event for event in events if isinstance(event, Impression | View | Outcome)]
    for event in sorted(
        kept, key=lambda event: (event.event_timestamp, fold.is_outcome(event), event.event_id)
    ):
        list(fold.happen(event))
    user = fold.state.users.get(asked.user_id)
    there = [one for one in user.questions if one.event_id == asked.event_id] if user else []
    return [
        event_id for one in there for _, event_id, _ in one.answers.get(question["item_id"], [])
    ]


def _since(moves: Sequence[Move]) -> Row | None:
    """The judgement that gave the standing and reason of now."""
    since = None
    for move in reversed(moves):
        if (move.standing, move.reason) != (moves[-1].standing, moves[-1].reason):
            break
        since = {
            name: getattr(move, name)
            for name in ("event_time", "partition", "judgement", "version")
        }
    return since


def _verdicts(
    moves: Sequence[Move], canaries: Sequence[Canaries], labels: dict[int, int], settings: Settings
) -> Iterator[Row]:
    """Moves with the stratum that the p-value was taken in: of its label where that has canaries enough, else of all."""
    for move in moves:
        there = {one.label: one.canaries for one in canaries if one.judgement == move.judgement}
        label, total = labels.get(move.label_version), sum(there.values())
        of_label = 0 if label is None else there.get(label, 0)
        own = of_label >= settings.standing.canary_minimum
        against = of_label if own else total
        doubtful = None if move.p_value is None else move.p_value * (against + 1) - 1
        # subtle: a store's history may be of other settings than ours; then the counts do not fit the p-value
        known = (
            doubtful is not None
            and total <= move.canaries
            and abs(doubtful - round(doubtful)) < 1e-6 * (against + 1)
        )
        yield {
            **move._asdict(),
            "label": label,
            "canaries_of_label": of_label,
            "stratum": ("label" if own else "all") if known else None,
            "stratum_canaries": against if known else None,
            "at_least_as_doubtful": round(doubtful) if known and doubtful is not None else None,
        }
