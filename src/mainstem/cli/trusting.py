"""`mainstem trust add FILE` and `mainstem trust status`: somebody's own trusted samples."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mainstem.cli.history import DEFAULT_HOME, AsJson, HomeOption, StoreOption, show_rows
from mainstem.printable import printable
from mainstem.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mainstem.embedded.home import Home
    from mainstem.events import Labelled
    from mainstem.join import Sample
    from mainstem.trusted import Confirmed
    from mainstem.trusted.files import Vouched

__all__ = ["trust"]

trust = typer.Typer(help="Trusted samples: labels that you vouch for.", no_args_is_help=True)


@trust.command()
def add(
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON lines: graded pairs, confirmed samples; or the truth of a simulated shop."
        ),
    ],
    home: HomeOption = DEFAULT_HOME,
    *,
    share: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Of the questions of a simulated shop's truth (default 0.1)."
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", help="kafka://host:port/prefix of a deployment, instead of a home."),
    ] = None,
) -> None:
    """Add trusted samples: they give the trusted gradient, are what verdicts are held against, and judge versions.

    A home takes them in with its next replay from the start; a deployment from now on.
    """
    from mainstem.errors import TrustError
    from mainstem.events import Labelled  # msgspec and what it needs
    from mainstem.trusted.files import add_trusted, confirmed_of, graded_of

    settings = Settings.read(os.environ)
    found = list(_read(file, settings, share))
    if not found:
        msg = f"{str(file)!r} holds no trusted sample{_of_share(share)}; nothing is added"
        raise TrustError(msg)
    pairs = sum(isinstance(one, Labelled) for one in found)
    if to:
        graded = [graded_of(one, settings.objectives) for one in found if isinstance(one, Labelled)]
        _publish(
            to, [confirmed_of(one, settings) for one in found], graded, settings.join.partitions
        )
        print(
            f"published {len(found):,} trusted samples, {pairs:,} of them graded pairs",
            file=sys.stderr,
        )
        return
    from mainstem.embedded.home import Home

    with Home(home, create=True) as opened:
        changed = add_trusted(opened.trusted, found)
        begun = opened.checkpoint() is not None or (opened.folder / "settings.json").exists()
        _tell_met(opened, [one for one in found if not isinstance(one, Labelled)])
    then = "; `mainstem replay LOG --from-start` takes them in" if begun and changed else ""
    print(
        f"{changed:,} trusted samples are new or changed, {pairs:,} of {len(found):,} graded pairs{then}",
        file=sys.stderr,
    )


@trust.command()
def status(
    home: HomeOption = DEFAULT_HOME, store: StoreOption = None, *, as_json: AsJson = False
) -> None:
    """How many trusted samples there are, how many are needed, and what cannot be said for want of them."""
    from mainstem.asking import answers
    from mainstem.store.trusted import TRUSTED_COUNTS  # numpy is slow to import
    from mainstem.trusted.status import named_in, status_of

    settings, file = Settings.read(os.environ), home / "trusted.jsonl"
    if not store and file.exists() and not (home / "history").is_dir():
        print("nothing has been replayed yet; these are named", file=sys.stderr)
        seen = named_in(file, settings)
    else:
        [(_, seen)] = answers(home, store, [TRUSTED_COUNTS.sql])
    header = ("part", "stratum", "partition", "origin", "there", "needed", "what follows")
    show_rows(header, status_of(seen, settings), as_json=as_json)


def _read(file: Path, settings: Settings, share: float | None) -> "Iterator[Labelled | Vouched]":
    """Trusted samples out of a file of any kind, told by its first line."""
    from mainstem.errors import TrustError
    from mainstem.events import read_lines
    from mainstem.trusted.files import read_trusted

    first = next(iter(read_lines(file)))
    if first.startswith(b'{"shop"'):
        from mainstem.bench.truth import share_of

        return share_of(file, 0.1 if share is None else share, settings)
    if share is not None:
        msg = f"--share is for the truth of a simulated shop; {str(file)!r} is none"
        raise TrustError(msg)
    return read_trusted(read_lines(file), settings.objectives)


def _of_share(share: float | None) -> str:
    return "" if share is None else f" at --share {share:g}"


def _tell_met(home: "Home", named: "Sequence[Vouched]") -> None:
    """How many of the samples that were named the home's history has, where it has one."""
    if not named or not (home.folder / "history").is_dir():
        return
    from mainstem.bootstrap import open_store
    from mainstem.errors import StoreError
    from mainstem.store.suggestions import SOME_SAMPLES
    from mainstem.store.telling import ids_among

    texts = {one.question_id for one in named if one.event_id and one.question_id}
    try:
        with open_store(home.store_url) as store:
            met = ids_among(store, {one.sample_id for one in named}, texts)
    except StoreError as error:  # they are added all the same
        print(
            f"whether what was replayed here has them is not known: {printable(str(error))}",
            file=sys.stderr,
        )
        return
    absent = [
        one
        for one in named
        if one.sample_id not in met and not (one.event_id and one.question_id in met)
    ]
    if absent:
        print(
            f"{len(named) - len(absent):,} of {len(named):,} are in what was replayed here; one that is not is "
            f"{absent[0].sample_id}; `mainstem sql '{SOME_SAMPLES}'` "
            "lists some",
            file=sys.stderr,
        )


def _publish(
    url: str, confirmed: "list[Confirmed]", graded: "list[Sample]", partitions: int
) -> None:
    from mainstem.bootstrap import open_broker, open_producer
    from mainstem.kafka.reach import reach
    from mainstem.kafka.trusted import TrustedTopic

    broker = open_broker(url)
    reach(broker, ["samples", "trusted"], ["samples", "trusted"] if graded else ["trusted"])
    topic, producer = TrustedTopic(broker), open_producer(broker)
    try:
        topic.write(confirmed, graded, partitions, producer)
    finally:
        producer.close()
        topic.close()
