"""Commands that ask the history: `sets`, `history`, `versions` and `sql`."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mainstem.asking import answers
from mainstem.cli.lines import wrapped
from mainstem.cli.notes import explain_words
from mainstem.errors import StoreError
from mainstem.printable import number_of

if TYPE_CHECKING:
    from mainstem.answers.explain import Ask
    from mainstem.store.named import Query
    from mainstem.store.telling import Verdict

__all__ = [
    "AsJson",
    "HomeOption",
    "StoreOption",
    "asker",
    "history",
    "sample_named",
    "sets",
    "show_rows",
    "sql",
    "versions",
]

HomeOption = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="MAINSTEM_HOME",
        help="The home: the folder that holds the history and the versions.",
    ),
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        envvar="MAINSTEM_STORE",
        help="Ask the server at clickhouse://user:password@host:port/database, not a home.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print each row as a JSON object in a line.")]
DEFAULT_HOME = Path("mainstem-home")


def sets(
    home: HomeOption = DEFAULT_HOME, store: StoreOption = None, *, as_json: AsJson = False
) -> None:
    """Show how many samples are core, edge and noise, and for which reason.

    The other figures are means over these samples, as of their last judgement.
    The last columns say how old their scores are, how many have an outdated
    text, and of how many the item is gone. Where evidence has learnt from
    confirmed samples, a second table says how many labels are wrong in each
    set, as far as the confirmed samples of the gate tell, which nothing learns
    from.
    """
    from mainstem.answers.explain import MEANINGS  # the join is slow to import
    from mainstem.answers.gate import shares_of
    from mainstem.answers.item_now import bounds_of
    from mainstem.cli.settings_there import settings_there
    from mainstem.store.score_ages import SETS_TOLD  # numpy is slow to import
    from mainstem.store.telling import GATE_SETS, VERDICTS  # numpy is slow to import

    bounds = bounds_of(settings_there(home, store).learning)
    asked = _ask(home, store, SETS_TOLD.sql, _JUDGED, VERDICTS.sql, GATE_SETS, **bounds)
    header, rows, (_, verdicts), (_, judged) = asked
    show_rows(header, rows, as_json=as_json)
    if measured := shares_of(judged):
        if not as_json:
            print()
        show_rows(_MEASURED, measured, as_json=as_json)
    if not as_json:
        explain_words(
            *(wrapped(f"{row[1]}: {MEANINGS[row[1]]}", first="") for row in rows),
            *_FIGURES,
            *([_GATE] if measured else []),
        )
    if not rows:
        when = "a judgement is due every MAINSTEM_STANDING__JUDGE_EVERY samples"
        print(f"nothing has been judged yet: {when}", file=sys.stderr)
    elif not any(reason == "contradictory" for _, reason, *_ in rows):
        for line in _why_none_called(VERDICTS.typed(verdicts)):
            print(line, file=sys.stderr)


def history(
    sample: Annotated[
        str, typer.Argument(help="Id of the sample, or the first 8 or more digits of it.")
    ],
    home: HomeOption = DEFAULT_HOME,
    store: StoreOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show what happened to one sample: its labels, every visit and every move.

    The last table holds what its visits add up to now. `mainstem explain` tells
    the same in words.
    """
    from mainstem.store.figures import figures_of  # numpy is slow to import
    from mainstem.store.rows_of_sample import HISTORY
    from mainstem.store.suggestions import SAMPLE_IDS

    ask = asker(home, store)
    found = ask(*HISTORY.values(), sample=sample_named(sample, ask))
    tables = dict(zip(HISTORY, found, strict=True))
    if not tables["sample"]:
        msg = f"no sample {sample!r} in this history; `mainstem sql {SAMPLE_IDS!r}` lists some"
        raise StoreError(msg)
    for name, rows in {**tables, "now": [figures_of(tables["visits"])]}.items():
        if not as_json:
            print(f"\n{name}: {_TABLES[name] if rows else 'none'}")
        if rows:
            _show_typed(name, rows, as_json=as_json)


def versions(
    home: HomeOption = DEFAULT_HOME,
    store: StoreOption = None,
    *,
    slices: Annotated[
        bool,
        typer.Option("--slices", help="Show every measure, on each slice of the samples."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show every version: its parent, whether it was promoted and why, and how well it ranks.

    It is held against counting, too: the number of purchases, and a regression.
    Then follow whether its round heeded evidence, and what it cost so far.
    """
    from mainstem.store.costs import VERSIONS_AND_COSTS  # numpy is slow to import
    from mainstem.store.evaluations import EVALUATIONS
    from mainstem.store.versions import VERSIONS_TOLD

    if slices:
        header, rows = _ask(home, store, EVALUATIONS.sql, "an evaluation of a version")
    else:
        told = VERSIONS_AND_COSTS if _has_costs(home, store) else VERSIONS_TOLD.sql
        header, rows = _ask(home, store, told, "a version")
    show_rows(header, rows, as_json=as_json)
    if not as_json:
        explain_words(*(_SLICES if slices else _VERSIONS))
        if "forward_equivalents" in header:
            explain_words(*_COSTS)


def sql(
    query: Annotated[str, typer.Argument(help="A ClickHouse query that only reads.")],
    home: HomeOption = DEFAULT_HOME,
    store: StoreOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Ask the history in SQL.

    `SHOW TABLES` lists its tables and views, and `DESCRIBE` their columns.
    """
    [(header, rows)] = answers(home, store, [query])
    show_rows(header, rows, as_json=as_json)


_JUDGED = "judged"
_TABLES = {
    "sample": "its label, version by version, with its texts",
    "visits": "each scoring by a version, and the running means with it",
    "moves": "each judgement that changed its standing, reason or label version",
    "trained": "the rounds that drew it",
    "score": "how old the last visit is, in versions and in days of event time",
    "now": "what its visits add up to",
}
_FIGURES = (
    "importance: how far a sample would move the model; 1 is the mean canary",
    "importance_of_mean: length of the mean response; near importance if visits agree",
    "alignment: the cosine with the gradient of trusted samples",
    "margin: how far the model puts the label above any other; below 0 it disagrees",
    "versions_behind, score_days: versions and days of event time since their scores",
    "outdated: how many have words that their item has no more; they count less in draws",
    "gone: how many have an item that is gone (MAINSTEM_LEARNING__GONE_AFTER); they rest",
)
_MEASURED = ("set", "confirmed gate samples", "wrong", "share wrong")
_GATE = "confirmed gate samples: never judged; the set is the one that they would be in"
_VERSIONS = (
    "parent: the version that this one was fine-tuned from",
    "promoted: 1 if the gate found it no worse than its parent, by the reason",
    "auc_later: how often it ranks a yes above a no on the last part of the log",
    "auc: the same on the samples that the gate decided on",
    "popularity, logistic: auc of counting purchases, and of a regression on behaviour",
    "beats_counting: 1 if auc is above both",
)
_COSTS = (
    "weighed: 1 if its round heeded importance and evidence, 0 if samples counted alike",
    "harder: how often a wrong confirmed label is on the harder sample; .5 is chance",
    "samples, tokens: what all passes for it read, once for each pass, padding left out",
    "forward_equivalents: tokens that plain passes would have read for the same work",
    "seconds: how long these passes took, with feature_seconds for behaviour features",
)
_SLICES = (
    "slice: gate or held_out samples of its round, later ones of a replay, or a part of these",
    "calibration_error: how far its probabilities are from the share of yes",
    "questions: how many have a yes and a no; ndcg_10 and mrr are means over them",
)


def _ask(
    home: Path, store: str | None, query: str, what: str, *more: str, **parameters: Any
) -> tuple[Any, ...]:
    """Ask a question and some more; give its header, its rows, and the answers to the others.

    Raises:
        StoreError: if the question has no rows. A history that holds samples may still lack
            judgements, which is no error.
    """
    from mainstem.store.telling import HELD  # numpy is slow to import

    (header, rows), (_, counts), *others = answers(
        home, store, [query, HELD.sql, *more], **parameters
    )
    [held] = HELD.typed(counts)
    if not rows and not (held.samples and what == _JUDGED):
        msg = (
            f"nothing in this history is {what}: it holds {held.samples:,} samples, "
            f"{held.standings:,} standings, {held.versions:,} versions; `mainstem replay LOG` "
            "makes them, or `mainstem train learn` and `mainstem train score` do"
        )
        raise StoreError(msg)
    return header, rows, *others


def _has_costs(home: Path, store: str | None) -> bool:
    """Whether a history has costs; a server's may not have been migrated yet."""
    from mainstem.store.costs import HAS_COSTS  # numpy is slow to import

    if store is None:
        return True
    [(_, found)] = answers(home, store, [HAS_COSTS.sql])
    return bool(HAS_COSTS.typed(found)[0].views)


def _why_none_called(verdicts: "Sequence[Verdict]") -> Iterator[str]:
    """A line for each reason that nothing is called contradictory, with the number of canaries."""
    from mainstem.standing.judge import NO_TRUSTED  # numpy is slow to import

    for verdict in dict.fromkeys(one.verdict for one in verdicts):
        those = [one for one in verdicts if one.verdict == verdict]
        canaries = sum(one.canaries for one in those)
        of = f" in {len(those)} partitions" if len(verdicts) > 1 else ""
        there = f"{number_of(canaries, 'canary', 'canaries')}{of}"
        if verdict == NO_TRUSTED:
            why = f"nobody has vouched for the labels of the {there}"
        elif verdict == "given":
            why = f"none is found at this rate of false calls ({there})"
        else:
            why = f"{verdict} ({there})"
        yield f"nothing is called contradictory: {why}; `mainstem trust status` tells more"


def _show_typed(name: str, rows: Sequence[Any], *, as_json: bool) -> None:
    """Print rows of one type; as JSON each names its table."""
    header = rows[0]._fields
    if as_json:
        show_rows(("table", *header), [(name, *row) for row in rows], as_json=True)
    else:
        show_rows(header, rows, as_json=False)


def show_rows(header: Sequence[str], rows: Sequence[Sequence[Any]], *, as_json: bool) -> None:
    """Print rows: as a table, or each as a JSON object."""
    from mainstem.cli.tables import show, show_json  # rich is slow to import

    (show_json if as_json else show)(header, rows)


def asker(home: Path, store: str | None) -> "Ask":
    """A function that asks a history and gives the rows of each query, typed."""

    def ask(*queries: "Query[Any]", **parameters: Any) -> list[list[Any]]:
        found = answers(home, store, [query.sql for query in queries], **parameters)
        return [query.typed(rows) for query, (_, rows) in zip(queries, found, strict=True)]

    return ask


def sample_named(given: str, ask: "Ask") -> str:
    """The whole id of the sample that a user names by its id or its first digits."""
    from mainstem.answers.which import sample_id_of  # the join is slow to import

    try:
        return sample_id_of(given, ask)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
