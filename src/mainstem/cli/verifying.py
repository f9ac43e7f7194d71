"""`mainstem replay LOG --as-of MOMENT --verify`: a home compared with a replay up to a moment."""

import sys
import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mainstem.asking import answers
from mainstem.errors import HomeError
from mainstem.events.moments import written
from mainstem.printable import in_json, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from mainstem.answers.as_of import Held
    from mainstem.learning import Round
    from mainstem.loop import Loop
    from mainstem.store.rounds import RecordedRound
    from mainstem.store.then import Then

__all__ = ["verify"]


def verify(log: str, home: Path, as_of: int, *, as_json: bool) -> None:
    """Replay the log of a home again up to a moment, and compare the two histories.

    The replay goes into a temporary folder; the home is only read.

    Args:
        log: path of the whole log.
        home: the home, which another process may be using.
        as_of: the moment in event time, in milliseconds since 1970.
        as_json: whether to print one JSON object instead of text.

    Raises:
        Exit: with exit code 1, if the two histories differ.
        HomeError: if the home has not been replayed up to the moment, or from another log.
    """
    from mainstem.answers.as_of import compare  # numpy is slow to import
    from mainstem.bootstrap import threads
    from mainstem.cli.tables import working  # rich is slow to import
    from mainstem.embedded.as_of import told_of
    from mainstem.opening import open_again

    threads(home)
    ask = partial(answers, home, None)
    rounds = _rounds(ask)
    with tempfile.TemporaryDirectory(prefix="mainstem-as-of-") as folder:
        scratch = Path(folder, "home")
        with (
            working("replaying up to the moment"),
            open_again(log, home, scratch, as_of, rounds, _Quiet()) as loop,
        ):
            loop.run()
            log_read, until = loop.opened.log, loop.opened.until or 0
            places, told, version = (
                _places(loop),
                told_of(log_read, until, as_of),
                loop.worker.version,
            )
        _refuse_short(ask, home, until, places)
        held = compare(ask, partial(answers, scratch, None), places)
    if as_json:
        facts = {
            "as_of": written(as_of),
            "lines": until,
            "version": version,
            "agrees": not any(one.differ for one in held),
        }
        print(in_json(facts | {"tables": {one.table: asdict(one) for one in held}}))
    else:
        _show(held, told, version)
    if any(one.differ for one in held):
        raise typer.Exit(1)


class _Quiet:
    """A watcher that prints nothing."""

    def block_done(self, loop: "Loop", line: int) -> None:
        pass

    def round_done(self, done: "Round") -> None:
        pass


def _rounds(ask: Any) -> "tuple[Sequence[RecordedRound], Mapping[int, list[UUID]]]":
    """The rounds that the history recorded, and the ids that each of them drew."""
    from uuid import UUID

    from mainstem.store.draws import DRAWN  # numpy is slow to import
    from mainstem.store.rounds import ROUNDS

    (_, rounds), (_, drawn) = ask([ROUNDS.sql, DRAWN.sql])
    by_version: dict[int, list[UUID]] = {}
    for one in DRAWN.typed(drawn):
        by_version.setdefault(one.version, []).append(UUID(one.sample_id))
    return ROUNDS.typed(rounds), by_version


def _places(loop: "Loop") -> "list[Then]":
    """How far the replay has come in each partition."""
    from mainstem.store.then import Then  # numpy is slow to import

    every = loop.settings.standing.judge_every
    # subtle: at the end of a log a final tick and a last judgement are added at the same place,
    # which a history of a longer log does not have there
    at_end = int(loop.opened.until == loop.opened.log.end.lines)
    items = len(loop.surveyed.items) + len(loop.surveyed.refused_items)
    return [
        Then(
            partition=row.partition,
            samples=loop.ends[row.partition],
            events=row.next_offset - at_end,
            items=items,
            hour=loop.open_hours[row.partition],
            version=loop.worker.version,
            judgement=max(loop.ends[row.partition] - at_end, 0) // every * every,
            every=every,
        )
        for row in loop.ledger_now
    ]


def _refuse_short(ask: Any, folder: Path, until: int, places: "Sequence[Then]") -> None:
    """Refuse a home that has not been replayed as far as the moment."""
    from mainstem.embedded.as_of import lines_done
    from mainstem.embedded.home import HomeFolder
    from mainstem.store.then import NEWEST_OFFSET  # numpy is slow to import

    with HomeFolder(folder, create=False, alone=False) as home:
        if lines_done(home) >= until:
            return
    [(_, rows)] = ask([NEWEST_OFFSET.sql])
    come = dict(NEWEST_OFFSET.typed(rows))
    for place in places:
        if come.get(place.partition, 0) < place.events:
            msg = (
                f"the home has not been replayed up to the moment: of partition {place.partition} "
                f"it has {come.get(place.partition, 0):,} of {place.events:,} events; replay "
                "the log into it first"
            )
            raise HomeError(msg)


def _show(held: "Sequence[Held]", told: str, version: int) -> None:
    print(told)
    used = "version 0" if not version else f"versions 0 to {version}"
    print(f"scored with {used} of the home; nothing was trained again")
    for one in held:
        with_numbers = one.table in {"responses", "features"}
        apart = f", numbers differ by {one.worst:.1e} at most" if with_numbers else ""
        near = f", {len(one.near)} differ near a threshold, which is allowed" if one.near else ""
        print(f"{one.table:<10}  {one.rows:>9,} compared, {one.differ:,} differ{apart}{near}")
        for line in [*one.near, *one.first]:
            print(f"            {printable(line)}")
        if one.differ > len(one.first):
            print(f"            and {one.differ - len(one.first):,} more")
    if not next(one.rows for one in held if one.table == "samples"):
        print("no sample had been made by then", file=sys.stderr)
    print("NOT THE SAME" if any(one.differ for one in held) else "the same")
