"""Questions to the history of a home: `sets`, `history`, `versions`, `sql`."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from mainstem.cli.asking import answers
from mainstem.errors import StoreError

__all__ = ["OF_SAMPLE", "AsJson", "HomeOption", "StoreOption", "history", "sets", "show_rows", "sql", "versions"]

HomeOption = Annotated[Path, typer.Option("--home", envvar="MAINSTEM_HOME", help="Folder of the history and the versions.")]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store", envvar="MAINSTEM_STORE", help="clickhouse://user:password@host:port/database, instead of a home."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON lines, one object a row.")]
DEFAULT_HOME = Path("mainstem-home")


def sets(home: HomeOption = DEFAULT_HOME, store: StoreOption = None, *, as_json: AsJson = False) -> None:
    """How many samples are core, edge and noise, and why."""
    from mainstem.store.telling import VERDICTS  # noqa: PLC0415 - numpy is slow to import

    header, rows, (_, verdicts) = _ask(
        home,
        store,
        """SELECT standing, reason, count() AS samples, avg(importance) AS importance,
                  avg(importance_of_mean) AS importance_of_mean, avg(alignment) AS alignment, avg(margin) AS margin
           FROM standings_now GROUP BY standing, reason ORDER BY standing, reason""",
        _JUDGED,
        VERDICTS,
    )
    show_rows(header, rows, as_json=as_json)
    if not rows:
        print("nothing has been judged yet: a judgement comes every MAINSTEM_STANDING__JUDGE_EVERY samples", file=sys.stderr)
    elif not any(reason == "contradictory" for _, reason, *_ in rows):
        for line in _why_none_called(verdicts):
            print(line, file=sys.stderr)


def history(
    sample: Annotated[str, typer.Argument(help="Sample id (`mainstem sql 'SELECT sample_id FROM standings_now LIMIT 9'`).")],
    home: HomeOption = DEFAULT_HOME,
    store: StoreOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """What happened to one sample: its labels, every visit, every move."""
    sample_id = _sample_id(sample)
    found = answers(home, store, list(OF_SAMPLE.values()), sample=sample_id)
    if not found[0][1]:
        msg = f"no sample {sample!r} in this history; `mainstem sql 'SELECT sample_id FROM samples LIMIT 9'` lists some"
        raise StoreError(msg)
    for name, (header, rows) in zip(OF_SAMPLE, found, strict=True):
        if not as_json:
            print(f"\n{name}{'' if rows else ': none'}")
        if not rows:
            continue
        show_rows(
            ("table", *header) if as_json else header, [(name, *row) for row in rows] if as_json else rows, as_json=as_json
        )


def versions(home: HomeOption = DEFAULT_HOME, store: StoreOption = None, *, as_json: AsJson = False) -> None:
    """The versions: parent, whether promoted and why, and AUC on the last part of the log."""
    header, rows = _ask(
        home,
        store,
        """SELECT v.version AS version, v.parent AS parent, v.promoted AS promoted, v.reason AS reason, e.auc AS auc_later
           FROM (SELECT * FROM versions FINAL) AS v
           LEFT JOIN (SELECT * FROM evaluations FINAL WHERE slice = 'later') AS e ON v.version = e.version
           ORDER BY version""",
        "a version",
    )
    show_rows(header, rows, as_json=as_json)


def sql(
    query: Annotated[str, typer.Argument(help="A ClickHouse query; it can only read.")],
    home: HomeOption = DEFAULT_HOME,
    store: StoreOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Ask the history in SQL."""
    [(header, rows)] = answers(home, store, [query])
    show_rows(header, rows, as_json=as_json)


# subtle: the sample is named inside, before FINAL and windows; a view around them would read the whole table
OF_SAMPLE = {
    "sample": """SELECT label_version, label, outcomes, source, event_time, item_text, context_text, part
           FROM (SELECT * FROM samples FINAL WHERE sample_id = {sample:UUID}) AS s
           LEFT JOIN (SELECT * FROM trusted FINAL WHERE sample_id = {sample:UUID}) AS t USING sample_id
           ORDER BY label_version""",
    "visits": """SELECT label_version, version, norm, scale, avg(norm / scale) OVER visits AS importance,
                  sqrt(nullIf(arraySum(one -> one * one, avgForEach(arrayMap(one -> one / scale, sketch)) OVER visits), 0))
                      AS importance_of_mean,
                  alignment, loss, margin, avg(margin) OVER visits AS running_margin
           FROM (SELECT * FROM responses FINAL WHERE sample_id = {sample:UUID}) AS r
           LEFT JOIN (SELECT label_version, version, sketch FROM sketches FINAL WHERE sample_id = {sample:UUID}) AS s
               USING (label_version, version)
           WINDOW visits AS (PARTITION BY label_version ORDER BY version ROWS UNBOUNDED PRECEDING)
           ORDER BY label_version, version""",
    "moves": """SELECT label_version, judgement, version, before, standing, reason, p_value, evidence, visits,
                  importance, importance_of_mean, alignment
           FROM moves FINAL WHERE sample_id = {sample:UUID} ORDER BY judgement""",
    "trained": """SELECT version, standing AS drawn_from, promoted
           FROM (SELECT * FROM draws FINAL WHERE sample_id = {sample:UUID}) AS d
           INNER JOIN (SELECT version, promoted FROM versions FINAL) AS v USING version ORDER BY version""",
}


_JUDGED = "judged"


def _ask(home: Path, store: str | None, query: str, what: str, *more: str) -> tuple[Any, ...]:
    """Header and rows of a question, and the answers to more.

    Raises:
        StoreError: if there are no rows, and no samples that may become some; it says what the history holds instead.
    """
    from mainstem.store.telling import HELD  # noqa: PLC0415 - numpy is slow to import

    (header, rows), (_, [(samples, standings, count)]), *others = answers(home, store, [query, HELD, *more])
    if not rows and not (samples and what == _JUDGED):
        msg = (
            f"nothing in this history is {what}: it holds {samples:,} samples, {standings:,} standings, {count:,} versions; "
            "`mainstem replay LOG` makes them, or `mainstem train learn` and `mainstem train score` do"
        )
        raise StoreError(msg)
    return header, rows, *others


def _why_none_called(verdicts: Sequence[tuple[int, str, int]]) -> Iterator[str]:
    """Each reason once, with the canaries that there were."""
    for verdict in dict.fromkeys(verdict for _, verdict, _ in verdicts):
        canaries = sum(count for _, its, count in verdicts if its == verdict)
        of = f" in {sum(its == verdict for _, its, _ in verdicts)} partitions" if len(verdicts) > 1 else ""
        why = "none is found at this rate of false calls" if verdict == "given" else verdict
        yield f"nothing is called contradictory: {why} ({canaries:,} canaries{of}); `mainstem trust status` tells more"


def show_rows(header: Sequence[str], rows: Sequence[Sequence[Any]], *, as_json: bool) -> None:
    """Print rows: as a table, or each as a JSON object."""
    from mainstem.cli.tables import show, show_json  # noqa: PLC0415 - rich is slow to import

    (show_json if as_json else show)(header, rows)


def _sample_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        msg = f"a sample id is a UUID like 35e58da0-a9c8-20d0-81ca-9032c9e3fe09; got {text!r}"
        raise typer.BadParameter(msg) from error
