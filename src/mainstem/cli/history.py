"""Questions to the history of a home: `sets`, `history`, `versions`, `sql`."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from mainstem.asking import answers
from mainstem.errors import StoreError

if TYPE_CHECKING:
    from mainstem.store.telling import Verdict

__all__ = ["AsJson", "HomeOption", "StoreOption", "history", "sets", "show_rows", "sql", "versions"]

HomeOption = Annotated[
    Path,
    typer.Option("--home", envvar="MAINSTEM_HOME", help="Folder of the history and the versions."),
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        envvar="MAINSTEM_STORE",
        help="clickhouse://user:password@host:port/database, instead of a home.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON lines, one object a row.")]
DEFAULT_HOME = Path("mainstem-home")


def sets(
    home: HomeOption = DEFAULT_HOME, store: StoreOption = None, *, as_json: AsJson = False
) -> None:
    """How many samples are core, edge and noise, and why; figures are means as of the last judgements."""
    from mainstem.store.figures import SETS  # numpy is slow to import
    from mainstem.store.telling import VERDICTS  # numpy is slow to import

    header, rows, (_, verdicts) = _ask(home, store, SETS.sql, _JUDGED, VERDICTS.sql)
    show_rows(header, rows, as_json=as_json)
    if not rows:
        print(
            "nothing has been judged yet: a judgement comes every MAINSTEM_STANDING__JUDGE_EVERY samples",
            file=sys.stderr,
        )
    elif not any(reason == "contradictory" for _, reason, *_ in rows):
        for line in _why_none_called(VERDICTS.typed(verdicts)):
            print(line, file=sys.stderr)


def history(
    sample: Annotated[str, typer.Argument(help="Sample id, as the views have it.")],
    home: HomeOption = DEFAULT_HOME,
    store: StoreOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """What happened to one sample: its labels, every visit, every move; last, what its visits add up to now."""
    from mainstem.store.figures import figures_of  # numpy is slow to import
    from mainstem.store.rows_of_sample import HISTORY
    from mainstem.store.suggestions import SAMPLE_IDS

    found = answers(
        home, store, [query.sql for query in HISTORY.values()], sample=_sample_id(sample)
    )
    tables = {
        name: query.typed(rows)
        for (name, query), (_, rows) in zip(HISTORY.items(), found, strict=True)
    }
    if not tables["sample"]:
        msg = f"no sample {sample!r} in this history; `mainstem sql {SAMPLE_IDS!r}` lists some"
        raise StoreError(msg)
    for name, rows in {**tables, "now": [figures_of(tables["visits"])]}.items():
        if not as_json:
            print(f"\n{name}{'' if rows else ': none'}")
        if rows:
            _show_typed(name, rows, as_json=as_json)


def versions(
    home: HomeOption = DEFAULT_HOME, store: StoreOption = None, *, as_json: AsJson = False
) -> None:
    """The versions: parent, whether promoted and why, and AUC on the last part of the log."""
    from mainstem.store.versions import VERSIONS_TOLD  # numpy is slow to import

    header, rows = _ask(home, store, VERSIONS_TOLD.sql, "a version")
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


_JUDGED = "judged"


def _ask(home: Path, store: str | None, query: str, what: str, *more: str) -> tuple[Any, ...]:
    """Header and rows of a question, and the answers to more.

    Raises:
        StoreError: if there are no rows, and no samples that may become some; it says what the history holds instead.
    """
    from mainstem.store.telling import HELD  # numpy is slow to import

    (header, rows), (_, counts), *others = answers(home, store, [query, HELD.sql, *more])
    [held] = HELD.typed(counts)
    if not rows and not (held.samples and what == _JUDGED):
        msg = (
            f"nothing in this history is {what}: it holds {held.samples:,} samples, {held.standings:,} standings, "
            f"{held.versions:,} versions; `mainstem replay LOG` makes them, or `mainstem train learn` and "
            "`mainstem train score` do"
        )
        raise StoreError(msg)
    return header, rows, *others


def _why_none_called(verdicts: "Sequence[Verdict]") -> Iterator[str]:
    """Each reason once, with the canaries that there were."""
    for verdict in dict.fromkeys(one.verdict for one in verdicts):
        those = [one for one in verdicts if one.verdict == verdict]
        canaries = sum(one.canaries for one in those)
        of = f" in {len(those)} partitions" if len(verdicts) > 1 else ""
        why = "none is found at this rate of false calls" if verdict == "given" else verdict
        yield f"nothing is called contradictory: {why} ({canaries:,} canaries{of}); `mainstem trust status` tells more"


def _show_typed(name: str, rows: Sequence[Any], *, as_json: bool) -> None:
    """Print rows of one type; as JSON each says which table it is of."""
    header = rows[0]._fields
    if as_json:
        show_rows(("table", *header), [(name, *row) for row in rows], as_json=True)
    else:
        show_rows(header, rows, as_json=False)


def show_rows(header: Sequence[str], rows: Sequence[Sequence[Any]], *, as_json: bool) -> None:
    """Print rows: as a table, or each as a JSON object."""
    from mainstem.cli.tables import show, show_json  # rich is slow to import

    (show_json if as_json else show)(header, rows)


def _sample_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        msg = f"a sample id is a UUID like 35e58da0-a9c8-20d0-81ca-9032c9e3fe09; got {text!r}"
        raise typer.BadParameter(msg) from error
