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

__all__ = ["MEANINGS", "Ask", "events_of", "ids_beginning", "story_of"]

Row: TypeAlias = dict[str, Any]
Ask: TypeAlias = Callable[..., list[list[Row]]]
"""Rows for each of some questions in SQL, given with their parameters."""
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

# subtle: the sample is named inside, before FINAL and joins; else whole tables would be read
_LABELS = """
    SELECT label_version, label, outcomes, question_id, event_time, toUnixTimestamp64Milli(event_time) AS event_timestamp,
           source, query, history, item_id, context_text, item_text, sampling_probability,
           if(part = '', 'stream', part) AS part, origin
    FROM (SELECT * FROM samples FINAL WHERE sample_id = {sample:UUID}) AS s
    LEFT JOIN (SELECT sample_id, part, origin FROM trusted_now WHERE sample_id = {sample:UUID}) AS t USING sample_id
    ORDER BY label_version"""
_VISITS = """
    SELECT label_version, version, label, norm, norm / scale AS importance_seen, alignment, loss, margin
    FROM responses FINAL WHERE sample_id = {sample:UUID} ORDER BY label_version, version"""
_MOVES = """
    SELECT m.partition AS partition, m.judgement AS judgement, m.event_time AS event_time, m.version AS version,
           label_version, before, standing, reason, p_value, evidence, importance, margin, visits, alignment,
           importance_of_mean, j.canaries AS canaries, j.core_level AS core_level, j.verdict AS verdict
    FROM (SELECT * FROM moves FINAL WHERE sample_id = {sample:UUID}) AS m
    LEFT JOIN (SELECT * FROM judgements FINAL) AS j ON m.partition = j.partition AND m.judgement = j.judgement
    ORDER BY judgement"""
# the canaries as the version saw them that scored the sample last: at their newest label, without those that had left
_CANARIES = """
    SELECT judgement, label, count() AS canaries FROM (
        SELECT m.judgement AS judgement, r.sample_id AS canary, argMax(r.label, r.label_version) AS label
        FROM (
            SELECT sample_id, label_version, label, partition, offset, version, event_time FROM responses
            WHERE part = 'canary' AND partition IN (SELECT partition FROM moves WHERE sample_id = {sample:UUID})
        ) AS r
        INNER JOIN (
            SELECT partition, judgement, event_time, max(scored) AS last
            FROM (SELECT DISTINCT partition, judgement, version, event_time FROM moves WHERE sample_id = {sample:UUID}) AS n
            CROSS JOIN (SELECT version AS scored FROM responses WHERE sample_id = {sample:UUID}) AS v
            WHERE scored <= version GROUP BY partition, judgement, event_time
        ) AS m ON r.partition = m.partition AND r.version = m.last
        WHERE r.offset < m.judgement
            AND toUnixTimestamp64Milli(r.event_time) >= toUnixTimestamp64Milli(m.event_time) - {horizon:Int64}
        GROUP BY judgement, canary)
    GROUP BY judgement, label ORDER BY judgement, label"""
_NOW = """
    SELECT importance, importance_of_mean, alignment, visits FROM standings FINAL WHERE sample_id = {sample:UUID}"""
_ROUNDS = """
    SELECT r.version AS version, d.label_version AS label_version, d.standing AS drawn_from, d.probability AS probability,
           r.drawn AS drawn, r.cold AS cold, r.promoted AS promoted, r.reason AS reason
    FROM (SELECT * FROM draws FINAL WHERE sample_id = {sample:UUID}) AS d
    INNER JOIN (SELECT * FROM rounds FINAL) AS r ON d.version = r.version ORDER BY version"""
_BEGINNING = """
    SELECT DISTINCT toString(sample_id) AS sample_id FROM samples
    WHERE startsWith(toString(sample_id), {beginning:String}) ORDER BY sample_id LIMIT 3"""


def story_of(sample_id: str, settings: Settings, ask: Ask) -> Row:
    """All that the history knows of a sample, as plain values.

    Args:
        sample_id: its id.
        settings: `canary_minimum` and `horizon` say which canaries it was held against.
        ask: the history.

    Returns:
        sample_id; standing, reason, meaning, since and now (what its visits added up to); None where it was never judged;
        question, labels (one for each label version), visits (with running means), verdicts (moves, each with its stratum of
        canaries), rounds (those that drew it).

    Raises:
        StoreError: if there is no such sample.
    """
    questions = (_LABELS, _VISITS, _MOVES, _CANARIES, _ROUNDS, _NOW)
    labels, visits, moves, canaries, rounds, standing = ask(*questions, sample=sample_id, horizon=settings.responses.horizon)
    if not labels:
        msg = f"no sample {sample_id} in this history; `mainstem sql 'SELECT sample_id FROM samples LIMIT 9'` lists some"
        raise StoreError(msg)
    told = {one["label_version"]: one["label"] for one in (*labels, *visits)}  # scored may be another than the log's
    now: Row = moves[-1] if moves else {"standing": None, "reason": None}
    return {
        "sample_id": sample_id,
        "standing": now["standing"],
        "reason": now["reason"],
        "meaning": MEANINGS.get(now["reason"], "It has not been judged."),
        "since": _since(moves),
        "now": next(iter(standing), None),
        "question": {name: value for name, value in labels[-1].items() if name not in _OF_LABEL},
        "labels": [{name: label[name] for name in _OF_LABEL} for label in labels],
        "visits": list(_with_means(visits)),
        "verdicts": list(_verdicts(moves, canaries, told, settings)),
        "rounds": rounds,
    }


def ids_beginning(beginning: str, ask: Ask) -> list[str]:
    """Ids of samples that begin so, three at most; reads one column of all samples.

    Example:
        >>> ids_beginning("35e58da0", lambda sql, **known: [[{"sample_id": "35e58da0-a9c8-20d0-81ca-9032c9e3fe09"}]])
        ['35e58da0-a9c8-20d0-81ca-9032c9e3fe09']
    """
    [found] = ask(_BEGINNING, beginning=beginning)
    return [str(row["sample_id"]) for row in found]


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
        [] if question["source"] == "drawn" else _answers(asked, [event for _, event in lines.values()], question, settings)
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


def _answers(asked: Any, events: Sequence[Any], question: Mapping[str, Any], settings: Settings) -> list[str]:
    """Event ids of the outcomes that one shopper's events give to one item of a question."""
    mode = "purchases" if question["source"] == "purchase" else "shown"
    fold = Fold(JoinState(), settings.but({"join.questions": mode}), Catalogue())
    kept: list[Any] = [event for event in events if isinstance(event, Impression | View | Outcome)]
    for event in sorted(kept, key=lambda event: (event.event_timestamp, fold.is_outcome(event), event.event_id)):
        list(fold.happen(event))
    user = fold.state.users.get(asked.user_id)
    there = [one for one in user.questions if one.event_id == asked.event_id] if user else []
    return [event_id for one in there for _, event_id, _ in one.answers.get(question["item_id"], [])]


def _since(moves: Sequence[Row]) -> Row | None:
    """The judgement that gave the standing and reason of now."""
    since = None
    for move in reversed(moves):
        if (move["standing"], move["reason"]) != (moves[-1]["standing"], moves[-1]["reason"]):
            break
        since = {name: move[name] for name in ("event_time", "partition", "judgement", "version")}
    return since


def _with_means(visits: Sequence[Row]) -> Iterator[Row]:
    """Visits with their running means as the columns hold them: another label begins again, the same one goes on."""
    label, last, count, importance, margin = None, -1, 0, 0.0, 0.0
    for visit in visits:
        if visit["label"] != label:
            label, last, count, importance, margin = visit["label"], -1, 0, 0.0, 0.0
        if visit["version"] > last:  # else the same version again, for a revision that said the same: it does not count
            last, count = visit["version"], count + 1
            importance += (visit["importance_seen"] - importance) / count
            margin += (visit["margin"] - margin) / count
        yield {**visit, "importance": importance, "running_margin": margin}


def _verdicts(moves: Sequence[Row], canaries: Sequence[Row], labels: dict[int, int], settings: Settings) -> Iterator[Row]:
    """Moves with the stratum that the p-value was taken in: of its label where that has canaries enough, else of all."""
    for move in moves:
        there = {one["label"]: one["canaries"] for one in canaries if one["judgement"] == move["judgement"]}
        label, total = labels.get(move["label_version"]), sum(there.values())
        of_label = there.get(label, 0)
        own = of_label >= settings.standing.canary_minimum
        against = of_label if own else total
        doubtful = None if move["p_value"] is None else move["p_value"] * (against + 1) - 1
        # subtle: a store's history may be of other settings than ours; then the counts do not fit the p-value
        known = doubtful is not None and total <= move["canaries"] and abs(doubtful - round(doubtful)) < 1e-6 * (against + 1)
        yield {
            **move,
            "label": label,
            "canaries_of_label": of_label,
            "stratum": ("label" if own else "all") if known else None,
            "stratum_canaries": against if known else None,
            "at_least_as_doubtful": round(doubtful) if known and doubtful is not None else None,
        }
