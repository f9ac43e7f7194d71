"""The story of one sample: how it got its standing, from the history and, if given, the log.

No sample is scored or judged again. The price is that the story cannot show the canaries' evidence;
it can only say how many canaries were at least as doubtful, which follows from the p-value.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

from mainstem.answers.disagreeing import estimators_of
from mainstem.answers.item_now import item_now
from mainstem.answers.teaching import teaching_of
from mainstem.errors import LogError, StoreError
from mainstem.events import Impression, Outcome, View, decode, read_lines
from mainstem.ids import uuid_of
from mainstem.join.catalogue import Catalogue
from mainstem.join.fold import Fold
from mainstem.join.state import JoinState
from mainstem.settings import Settings
from mainstem.store.figures import VISITS, figures_of
from mainstem.store.item_texts import ITEM_OF_SAMPLE
from mainstem.store.score_ages import SCORE_AGE, ScoreAge
from mainstem.store.story import BEGINNING, CANARIES, LABELS, MOVES, ROUNDS, Canaries, Label, Move
from mainstem.store.suggestions import SAMPLE_IDS

__all__ = ["MEANINGS", "Ask", "events_of", "ids_beginning", "story_of"]

Row: TypeAlias = dict[str, Any]
Ask: TypeAlias = Callable[..., list[list[Any]]]
"""Asks the history: queries and their parameters in, the rows of each query out."""
MEANINGS: Final = {
    "new": "It has too few visits to be core; each version that scores it adds one.",
    "too few canaries": "There are too few canaries to compare it with, so it has no verdict yet.",
    "undecided": (
        "Nothing speaks against its label; "
        "it is neither important enough for core nor surely spent."
    ),
    "doubtful": "Its label is too doubtful for core, but not proven wrong.",
    "important": (
        "Its label is sound, and it would move the model more than most sound samples: "
        "worth learning."
    ),
    "contradictory": (
        "The model doubts its label so much more than canaries' that it is called wrong; "
        "no round draws it."
    ),
    "spent": "Its label is sound, but it has nothing left to teach the model; hardly any is drawn.",
}
"""The meaning of each reason of a standing, in plain words and at most 100 characters."""
_OF_LABEL: Final = ("label_version", "label", "targets", "outcomes")


def story_of(sample_id: str, settings: Settings, ask: Ask) -> Row:
    """Tell all that the history knows of a sample, as plain values.

    Args:
        sample_id: id of the sample.
        settings: `canary_minimum` and `horizon` decide which canaries it was compared with;
            `objectives` name its targets; settings of `learning` say when its text is outdated.
        ask: asks the history.

    Returns:
        sample_id: id of the sample.
        standing, reason, since: where the sample stands, why, and the judgement that put it there;
            None where it was never judged.
        meaning: the reason in plain words.
        importance, now: its importance, and all figures that its visits add up to; None where it
            was never scored.
        score: how old the newest score is that these rest on: `scored_by`, `scored_at`,
            `versions_behind`, `days`; None where it was never scored.
        question: the question that it answers.
        item_now: what the catalogue says of its text by now; see `item_now`.
        labels: a row for each label version; `targets` has the target of each objective, None
            where the sample says nothing about the objective.
        visits: its visits, with running means.
        verdicts: its moves, with the figures of their judgements and the stratum of canaries that
            the p-value was taken in.
        rounds: the rounds that drew it.
        estimators: where each estimator in shadow puts it; see `estimators_of`.
        teaching: samples that teach the same and the opposite; see `teaching_of`.

    Raises:
        StoreError: if there is no such sample.
    """
    queries = (LABELS, VISITS, MOVES, CANARIES, ROUNDS, SCORE_AGE, ITEM_OF_SAMPLE)
    labels, visits, moves, canaries, rounds, ages, items = ask(
        *queries, sample=sample_id, horizon=settings.responses.horizon
    )
    if not labels:
        msg = f"no sample {sample_id} in this history; `{SAMPLE_IDS}` lists some"
        raise StoreError(msg)
    # subtle: the label that was scored may differ from the label in the log, and overrides it
    scored = {one.label_version: one.label for one in (*labels, *visits)}
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
        "score": _without_id(ages[0]) if ages else None,
        "question": {
            name: value for name, value in labels[-1]._asdict().items() if name not in _OF_LABEL
        },
        "item_now": item_now(items, settings.learning),
        "labels": [_label(label, settings.objectives.objective_names) for label in labels],
        "visits": [visit._asdict() for visit in visits],
        "verdicts": list(_verdicts(moves, canaries, scored, settings)),
        "rounds": [one._asdict() for one in rounds],
        "estimators": estimators_of(sample_id, ask),
        "teaching": teaching_of(sample_id, ask),
    }


def ids_beginning(beginning: str, ask: Ask) -> list[str]:
    """Ids of samples that begin with these characters, at most three.

    The query reads the ids of all samples.
    """
    [found] = ask(BEGINNING, beginning=beginning)
    return [row.sample_id for row in found]


def events_of(log: Path, question: Mapping[str, Any], settings: Settings) -> list[Row]:
    """The events of a log that made a sample: its question and the outcomes that answered it.

    The fold of the join finds the outcomes among the events of the shopper, in the order of event
    time. So an outcome that arrived too late for `grace` is listed too, although the replay may
    have dropped it.

    Args:
        log: file of events, which is read twice.
        question: `question` of the sample's story.
        settings: settings that the log was replayed with, for the windows of the join.

    Returns:
        `line` (from 1), `event_time`, `kind` and `event_id` of each event, in the order of event
        time.

    Raises:
        LogError: if the log cannot be read or does not hold the question.

    Example:
        >>> import json, tempfile
        >>> view = {"type": "view", "event_id": "v", "user_id": "u", "event_timestamp": 5}
        >>> asked = {"question_id": uuid_of("question", "v"), "event_timestamp": 5}
        >>> asked |= {"source": "view", "item_id": "cup"}
        >>> with tempfile.NamedTemporaryFile() as log:
        ...     _ = log.write(json.dumps(view | {"item_id": "cup"}).encode())
        ...     log.flush()
        ...     found = events_of(Path(log.name), asked, Settings())
        >>> [(event["line"], event["event_id"]) for event in found]
        [(1, 'v')]
    """
    asked = next((event for event in _decoded(log) if _asks(event, question)), None)
    if asked is None:
        msg = (
            f"the log {str(log)!r} does not hold the question of {question['event_time']}; "
            "give the log that was replayed"
        )
        raise LogError(msg)
    lines: dict[str, tuple[int, Any]] = {}
    for line, event in enumerate(_decoded(log), 1):
        if getattr(event, "user_id", None) == asked.user_id:
            lines.setdefault(event.event_id, (line, event))
    answers: list[str] = []
    if question["source"] != "drawn":  # a drawn negative has no outcomes
        answers = _answers(asked, [event for _, event in lines.values()], question, settings)
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
    """Event time in the format of the history."""
    return str(datetime.fromtimestamp(event.event_timestamp / 1000, UTC).replace(tzinfo=None))


def _asks(event: Any, question: Mapping[str, Any]) -> bool:
    if getattr(event, "event_timestamp", None) != question["event_timestamp"]:
        return False
    return str(uuid_of("question", getattr(event, "event_id", ""))) == str(question["question_id"])


def _answers(
    asked: Any, events: Sequence[Any], question: Mapping[str, Any], settings: Settings
) -> list[str]:
    """Event ids of the outcomes, among one shopper's events, that answer one item of a question."""
    mode = "purchases" if question["source"] == "purchase" else "shown"
    fold = Fold(JoinState(), settings.but({"join.questions": mode}), Catalogue())
    kept: list[Any] = [event for event in events if isinstance(event, Impression | View | Outcome)]
    kept.sort(key=lambda event: (event.event_timestamp, fold.is_outcome(event), event.event_id))
    for event in kept:
        list(fold.happen(event))
    user = fold.state.users.get(asked.user_id)
    there = [one for one in user.questions if one.event_id == asked.event_id] if user else []
    answers = [one.answers.get(question["item_id"], []) for one in there]
    return [event_id for each in answers for _, event_id, _ in each]


def _without_id(age: ScoreAge) -> Row:
    return {name: value for name, value in age._asdict().items() if name != "sample_id"}


def _label(label: Label, names: Sequence[str]) -> Row:
    """A label version of a sample, with its targets by the names of their objectives."""
    # samples of earlier releases have no targets: the label was the only one
    targets = label.targets or [float(label.label)]
    if len(targets) != len(names):  # the history was made with other objectives
        names = [f"objective {number}" for number in range(1, len(targets) + 1)]
    known = [None if target < 0 else target for target in targets]
    return {name: getattr(label, name) for name in _OF_LABEL} | {
        "targets": dict(zip(names, known, strict=True))
    }


def _since(moves: Sequence[Move]) -> Row | None:
    """The judgement that first gave the present standing and reason."""
    names = ("event_time", "partition", "judgement", "version")
    since = None
    for move in reversed(moves):
        if (move.standing, move.reason) != (moves[-1].standing, moves[-1].reason):
            break
        since = {name: getattr(move, name) for name in names}
    return since


def _verdicts(
    moves: Sequence[Move], canaries: Sequence[Canaries], labels: dict[int, int], settings: Settings
) -> Iterator[Row]:
    """Moves with the stratum of canaries that the p-value was taken in.

    The stratum holds the canaries with the sample's label if those are enough, and otherwise all.
    """
    for move in moves:
        there = {one.label: one.canaries for one in canaries if one.judgement == move.judgement}
        label, total = labels.get(move.label_version), sum(there.values())
        of_label = 0 if label is None else there.get(label, 0)
        own = of_label >= settings.standing.canary_minimum
        against = of_label if own else total
        doubtful = None if move.p_value is None else move.p_value * (against + 1) - 1
        # subtle: the history may have been made with other settings; then its p-value does not fit
        # the counts, and no stratum is named
        known = (
            doubtful is not None
            and move.probably_right is None  # learnt evidence compares with other samples
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
