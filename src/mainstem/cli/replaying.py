"""`mainstem replay` and `mainstem demo`: run the embedded loop over a log, and report."""

import os
import sys
from contextlib import ExitStack
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mainstem.cli.history import DEFAULT_HOME, HomeOption
from mainstem.cli.notes import note
from mainstem.cli.reporting import write_page
from mainstem.cli.verifying import verify as verify_as_of
from mainstem.embedded.asked import Asked
from mainstem.embedded.home import PAGE
from mainstem.errors import LogError, SettingError
from mainstem.events.moments import moment
from mainstem.printable import in_json, printable
from mainstem.settings import Settings

if TYPE_CHECKING:
    from mainstem.bench.planting import Plant
    from mainstem.store.recorded_schedule import RecordedSchedule
    from mainstem.versions import Versions

__all__ = ["demo", "replay"]

DEMO_HOME = Path("mainstem-demo")
_JSON = Annotated[
    bool, typer.Option("--json", help="Print the report as one JSON object; text goes to stderr.")
]
_MODEL = Annotated[
    str | None,
    typer.Option(
        help="Hugging Face name or path of a sequence classifier; without it, mainstem makes a "
        "model from the log."
    ),
]
_SEED = Annotated[
    int | None, typer.Option(min=0, help="Seed of every draw and of the first weights.")
]


def replay(
    log: Annotated[
        str,
        typer.Argument(help="Event log (JSON lines or Parquet), a folder of logs, or - for stdin."),
    ],
    home: HomeOption = DEFAULT_HOME,
    *,
    partitions: Annotated[
        int | None,
        typer.Option(min=1, help="How many partitions the events and samples are divided into."),
    ] = None,
    no_learn: Annotated[
        bool, typer.Option("--no-learn", help="Score and judge, but run no round.")
    ] = False,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Remove what the home holds, and begin again.")
    ] = False,
    append: Annotated[
        bool,
        typer.Option(
            "--append", help="LOG is the next file of the rotated log that the home has read."
        ),
    ] = False,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="MOMENT",
            help=(
                "Stop before the first event later than MOMENT, such as 2011-01-15 or "
                "2011-01-15T08:30Z."
            ),
        ),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Only compare HOME with a replay --as-of MOMENT; exit with 1 if they differ.",
        ),
    ] = False,
    schedule: Annotated[
        str | None,
        typer.Option(
            help="Repeat a deployment by its schedule: kafka://host:port/prefix, "
            "clickhouse://host:port/database, or a file of `mainstem stream schedule`."
        ),
    ] = None,
    deployed_versions: Annotated[
        str | None,
        typer.Option(
            "--versions",
            envvar="MAINSTEM_VERSIONS",
            help="With --schedule, where that deployment keeps its versions.",
        ),
    ] = None,
    model: _MODEL = None,
    seed: _SEED = None,
    as_json: _JSON = False,
) -> None:
    """Replay an event log: join, score, judge and learn.

    Called again, it goes on where it stopped.
    """
    given = {"join.partitions": partitions, "model.model": model, "run.seed": seed}
    settings = Settings.read(os.environ, given, say=note)
    until = None if as_of is None else moment(as_of)
    if verify:
        _verify(
            log,
            home,
            until,
            as_json=as_json,
            given=(partitions, no_learn, from_start, append, model, seed, schedule),
        )
        return
    found = None
    if schedule is not None:
        found = _schedule(schedule, deployed_versions, no_learn=no_learn, other=append or as_of)
    asked = Asked(
        from_start=from_start,
        append=append,
        as_of=until,
        learn=not no_learn and found is None,
        schedule=found,
    )
    _run(log, home, settings, asked, as_json=as_json)


def demo(
    home: HomeOption = DEMO_HOME,
    *,
    plant: Annotated[
        float,
        typer.Option(
            min=0, max=0.5, help="Turn this share of the labels wrong, and look for them."
        ),
    ] = 0,
    model: _MODEL = None,
    seed: _SEED = None,
    as_json: _JSON = False,
) -> None:
    """Replay 12,000 real purchases of a gift shop from the start, and report.

    It takes about ten minutes on two cores, and leaves the report as a page,
    report.html, in the home.
    """
    from mainstem.bench.planting import Plant  # torch is slow to import

    settings = Settings.read(os.environ, {"model.model": model, "run.seed": seed}, say=note)
    asked, planted = Asked(from_start=True), Plant(plant, settings.run.seed) if plant else None
    if planted:
        asked = replace(asked, planted=True, relabel=(planted.name, planted.relabel))
    with resources.as_file(resources.files("mainstem.data") / "online-retail.jsonl.gz") as log:
        _run(str(log), home, settings, asked, as_json=as_json, plant=planted)
    write_page(home, None, home / PAGE)
    told = f"\na report to open in a browser: {printable(str(home / PAGE))}"
    print(told, file=sys.stderr if as_json else sys.stdout)


def _verify(
    log: str, home: Path, as_of: int | None, *, as_json: bool, given: tuple[Any, ...]
) -> None:
    if as_of is None:
        msg = "--verify compares a home with a replay up to a moment; give the moment as --as-of"
        raise SettingError(msg)
    if any(one not in (None, False) for one in given):
        msg = "--verify takes settings from the home; give only LOG, --home, --as-of and --json"
        raise SettingError(msg)
    if log == "-":
        msg = "--verify reads the log several times; give a file instead of -"
        raise SettingError(msg)
    verify_as_of(log, home, as_of, as_json=as_json)


def _schedule(
    where: str, versions: str | None, *, no_learn: bool, other: object
) -> "tuple[RecordedSchedule, Versions]":
    """The schedule at a URL or in a file, and the versions that it needs."""
    from mainstem.bootstrap import open_schedule, open_versions  # torch is slow to import

    if no_learn or other:
        msg = (
            "--schedule repeats a whole log with its rounds; leave out --no-learn, --append and "
            "--as-of"
        )
        raise SettingError(msg)
    if not versions:
        msg = (
            "--schedule needs the versions of that deployment; give --versions file:///folder, or "
            "set MAINSTEM_VERSIONS"
        )
        raise SettingError(msg)
    return open_schedule(where), open_versions(versions)


def _run(
    log: str,
    home: Path,
    settings: Settings,
    asked: Asked,
    *,
    as_json: bool,
    plant: "Plant | None" = None,
) -> None:
    from mainstem.cli.tables import working  # rich is slow to import

    said: list[str] = []
    try:
        with ExitStack() as opened:
            with working(f"reading {Path(log).name}, making the first version"):
                from mainstem.answers.pace import Pace
                from mainstem.answers.report import report_of, why_empty
                from mainstem.bootstrap import threads  # torch is slow to import
                from mainstem.cli.screen import Screen
                from mainstem.opening import open_loop

                screen = Screen(to=sys.stderr if as_json else sys.stdout)
                screen.begin(log, home, threads(home, begins_again=asked.from_start))
                pace = Pace(screen)
                open_it = open_loop(log, home, settings, pace, asked, say=said.append)
                loop = opened.enter_context(open_it)
            for text in said:
                note(text)
            screen.opened(loop)
            loop.run()
            with working("comparing the versions"):
                report = pace.told(report_of(loop, str(home), plant))
            screen.end(loop, report)
            lack = why_empty(loop, report)
    except KeyboardInterrupt:
        again = (
            "the same command begins again"
            if asked.from_start
            else "the same command goes on from the last checkpoint"
        )
        print(f"\nmainstem: stopped; {again}", file=sys.stderr)
        raise typer.Exit(130) from None
    if as_json:
        print(in_json(report))
    if lack:
        msg = f"no sample was made of {log!r}: {lack}"
        raise LogError(msg)
