"""What the page tells, asked from the history by named queries.

The newest version ranks the last samples once more, without some features; nothing else is scored.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from mainstem.answers.ablation import Ablation, ablation_of
from mainstem.answers.fingerprint import hash_of
from mainstem.answers.page.quality import PartOfLog, quality_over_time
from mainstem.answers.page.source import Source
from mainstem.errors import VersionError
from mainstem.join import LedgerRow
from mainstem.join.ledger import totals
from mainstem.learning.evaluation.baselines import baselines
from mainstem.learning.evaluation.ranked import as_ranked
from mainstem.store.costs import COSTS_OF_VERSIONS, HAS_COSTS, KeptCost
from mainstem.store.counts import SUMMED, hash_of_counts
from mainstem.store.digests import DIGESTS
from mainstem.store.evaluations import EVALUATIONS, EvaluationTold
from mainstem.store.figures import SETS, Set
from mainstem.store.ledgers import NEWEST_LEDGER, ledger_row
from mainstem.store.over_time import ARRIVED, HASHED, JUDGED, MADE, STOOD, Judged, Made, Standing
from mainstem.store.reads import SINCE, placed
from mainstem.store.telling import HELD, REFUSED, VERDICTS, Held, Refused, Verdict
from mainstem.store.texts import BOUGHT, MEMBERS, Member
from mainstem.store.versions import ROUNDS_TOLD, VERSIONS_TOLD, RoundTold, VersionTold
from mainstem.versions import Versions

__all__ = [
    "Ask",
    "Facts",
    "LaterPart",
    "SetsThen",
    "facts_of",
    "features_that_count",
    "sets_over_time",
]

Ask: TypeAlias = Callable[..., list[list[Any]]]
"""Asks the history: named queries and their parameters in, the rows of each query out."""
_MOST_ARRIVED: Final = 100_000  # the newest ones, on which quality over time is measured
_MOST_LATER: Final = 20_000  # as many as `answers.report` compares versions on
_MOST_HASHED: Final = 1_000_000  # samples, or counts, that are hashed for a page
_MOST_MEMBERS: Final = 5
_MOST_REFUSED: Final = 20


@dataclass(frozen=True)
class LaterPart:
    """The last part of the log, which no round trains on, and the plain rankings on it.

    Attributes:
        samples: number of its samples.
        plain: AUC of each plain ranking by name; None where only one label occurs.
    """

    samples: int
    plain: dict[str, float | None]


@dataclass(frozen=True)
class SetsThen:
    """How many samples each set had at a moment of event time, all partitions together.

    Attributes:
        time: the moment in milliseconds, that of a judgement.
        core, edge, contradictory, spent: samples in each set.
    """

    time: int
    core: int
    edge: int
    contradictory: int
    spent: int


@dataclass(frozen=True)
class Facts:
    """What a page tells.

    Attributes:
        source: the history.
        held: how many samples, standings and versions it has.
        quality: quality over event time.
        versions, made, rounds: the versions, when they were made, and the rounds that made them.
        measured: measures of each version on the slices that it was measured on.
        costs: what each version cost, by kind; empty in a history from before costs were kept.
        later: the last part of the log; None where there is none.
        counting: what the newest version ranks worse without features, or why none is known.
        sets_then: the sets after each judgement.
        sets: the sets now, by reason.
        verdicts: the newest verdict of each partition.
        core, contradictory: the most important samples of both sets.
        ledger: the newest row of each partition of each topic.
        refused: why events were refused.
        hashes: fingerprints by name; empty in a history that is too large to hash for a page.
    """

    source: Source
    held: Held
    quality: list[PartOfLog]
    versions: list[VersionTold]
    made: list[Made]
    rounds: list[RoundTold]
    measured: list[EvaluationTold]
    costs: list[KeptCost]
    later: LaterPart | None
    counting: Ablation | str
    sets_then: list[SetsThen]
    sets: list[Set]
    verdicts: list[Verdict]
    core: list[Member]
    contradictory: list[Member]
    ledger: list[LedgerRow]
    refused: list[Refused]
    hashes: dict[str, str]


def facts_of(source: Source, ask: Ask, versions: Versions | None = None) -> Facts:
    """Ask the history for all that the page tells.

    Args:
        source: the history.
        ask: asks it.
        versions: where its versions are; None where that is not known.
    """
    told = (HELD, VERSIONS_TOLD, MADE, ROUNDS_TOLD, EVALUATIONS, JUDGED, SETS, VERDICTS)
    [held], listed, made, rounds, measured, judged, sets, verdicts = ask(*told)
    [ledger] = ask(NEWEST_LEDGER)
    [arrived] = ask(ARRIVED, most=_MOST_ARRIVED)
    [core] = ask(MEMBERS, members_of="core", most=_MOST_MEMBERS)
    [contradictory] = ask(MEMBERS, members_of="contradictory", most=_MOST_MEMBERS)
    [refused] = ask(REFUSED, most=_MOST_REFUSED)
    rows = [ledger_row(one) for one in ledger]
    return Facts(
        source=source,
        held=held,
        quality=quality_over_time(arrived, len(source.settings.objectives.label_names)),
        versions=listed,
        made=made,
        rounds=rounds,
        measured=measured,
        costs=_costs(ask),
        later=_later(source, ask),
        counting=features_that_count(source, ask, versions),
        sets_then=sets_over_time(judged),
        sets=sets,
        verdicts=verdicts,
        core=core,
        contradictory=contradictory,
        ledger=rows,
        refused=refused,
        hashes=_hashes(ask, rows),
    )


def sets_over_time(judged: Sequence[Judged]) -> list[SetsThen]:
    """Add up the sets of all partitions after each judgement.

    Args:
        judged: judgements in the order of event time.

    Example:
        >>> one = Judged(event_time=5, partition=0, judgement=9, core=1, edge=8, contradictory=0,
        ...     spent=0)
        >>> other = one._replace(event_time=7, partition=1, edge=4)
        >>> [(then.time, then.edge) for then in sets_over_time([one, other])]
        [(5, 8), (7, 12)]
    """
    newest: dict[int, Judged] = {}
    then: dict[int, SetsThen] = {}
    for one in judged:
        newest[one.partition] = one
        sizes = zip(*(each[3:] for each in newest.values()), strict=True)
        then[one.event_time] = SetsThen(one.event_time, *map(sum, sizes))
    return list(then.values())


def _costs(ask: Ask) -> list[KeptCost]:
    [[has_costs]] = ask(HAS_COSTS)
    return ask(COSTS_OF_VERSIONS)[0] if has_costs.views else []


def _later(source: Source, ask: Ask) -> LaterPart | None:
    """The plain rankings on the last part of the log, as the report of a replay has them."""
    if source.later_from is None:
        return None
    [rows] = ask(SINCE, event_time=source.later_from, most=_MOST_LATER)
    later = as_ranked(placed(rows), source.settings.objectives)
    if source.is_planted or not source.settings.objectives.answers_yes_or_no:
        return LaterPart(len(later), {})
    [bought] = ask(BOUGHT, before=source.later_from)
    return LaterPart(len(later), baselines(bought, later, [one.label for one in later]))


def features_that_count(source: Source, ask: Ask, versions: Versions | None) -> Ablation | str:
    """What the newest version's ranking of samples that it has not learnt from loses.

    Args:
        source: the history.
        ask: asks it.
        versions: where its versions are; None where that is not known.

    Returns:
        The losses, or a sentence that says why they are not known.
    """
    if versions is None or not (numbers := versions.numbers()):
        return "The files of the versions are not at hand; --versions says where they are."
    if source.is_planted:
        return "Labels of this history were turned wrong on purpose, so no AUC by them means much."
    manifest = versions.manifest(newest := numbers[-1])
    if not manifest.features:
        return f"Version {newest} reads words alone."
    since = manifest.event_time if source.later_from is None else source.later_from
    [rows] = ask(SINCE, event_time=since, most=_MOST_LATER)
    try:
        encoder = versions.load(newest)
    except VersionError as error:
        return f"{error}"
    samples = as_ranked(placed(rows), source.settings.objectives)
    found = ablation_of(encoder, samples, source.settings, newest)
    return found or "No later samples with features have both labels."


def _hashes(ask: Ask, ledger: Sequence[LedgerRow]) -> dict[str, str]:
    """The fingerprints that a replay prints, of a history whose rows fit into memory."""
    [[rows]] = ask(HASHED)
    if max(rows) > _MOST_HASHED:
        return {}
    digests, counts, stood = ask(DIGESTS, SUMMED, STOOD)
    return {
        "hash": hash_of(digests, totals(ledger)),
        "counts_hash": hash_of_counts(counts),
        "set_hash": _set_hash(stood),
    }


def _set_hash(stood: Sequence[Standing]) -> str:
    """The hash of all standings, as `answers.report` makes it from the rows of a replay."""
    told = sorted(
        f"{one.sample_id} {one.label_version} {one.standing} {one.reason}\n" for one in stood
    )
    return hashlib.blake2b("".join(told).encode(), digest_size=16).hexdigest()
