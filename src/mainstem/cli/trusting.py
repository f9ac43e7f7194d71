"""`mainstem trust add FILE` and `mainstem trust status`: trusted samples of a shop's own."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mainstem.cli.history import DEFAULT_HOME, AsJson, HomeOption, StoreOption, show_rows
from mainstem.cli.notes import explain_words
from mainstem.printable import printable
from mainstem.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mainstem.embedded.home import HomeFolder
    from mainstem.events import Labelled
    from mainstem.join import Sample
    from mainstem.trusted import Confirmed
    from mainstem.trusted.files import Vouched

__all__ = ["trust"]

_OF_GIVEN: Final = (
    "given label",
    "direction",
    "canary",
    "gate",
    "confirmed",
    "wrong",
    "share wrong",
)
_WRONG: Final = "wrong: confirmed samples whose label in the log is not the confirmed one"

trust = typer.Typer(
    help="Add and count trusted samples: labels that you vouch for.", no_args_is_help=True
)


@trust.command()
def add(
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON lines of graded pairs and confirmed samples, or a simulated shop's truth."
        ),
    ],
    home: HomeOption = DEFAULT_HOME,
    *,
    share: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Take this share of a simulated shop's questions (default 0.1)."
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", help="Add them to the deployment at kafka://host:port/prefix."),
    ] = None,
) -> None:
    """Add trusted samples.

    Some give the trusted gradient, some are the canaries that verdicts compare
    with, and some judge versions. A home uses them from its next replay from
    the start, a deployment from now on.
    """
    from mainstem.errors import TrustError
    from mainstem.events import Labelled  # msgspec and what it needs
    from mainstem.trusted.files import add_trusted, confirmed_of, graded_of

    settings = Settings.read(os.environ)
    found = list(_read(file, settings, share))
    if not found:
        msg = f"{str(file)!r} holds no trusted sample{_of_share(share)}, so nothing is added"
        raise TrustError(msg)
    pairs = sum(isinstance(one, Labelled) for one in found)
    if to:
        graded = [graded_of(one, settings.objectives) for one in found if isinstance(one, Labelled)]
        _publish(
            to, [confirmed_of(one, settings) for one in found], graded, settings.join.partitions
        )
        of_them = f"{len(found):,} trusted samples, {pairs:,} of them graded pairs"
        print(f"published {of_them}", file=sys.stderr)
        return
    from mainstem.embedded.home import HomeFolder

    with HomeFolder(home, create=True) as opened:
        changed = add_trusted(opened.trusted, found)
        begun = opened.checkpoint() is not None or (opened.folder / "settings.json").exists()
        _tell_met(opened, [one for one in found if not isinstance(one, Labelled)])
    then = "; `mainstem replay LOG --from-start` takes them in" if begun and changed else ""
    print(
        f"{changed:,} of {len(found):,} trusted samples are new or changed; {pairs:,} of all are "
        f"graded pairs{then}",
        file=sys.stderr,
    )


@trust.command()
def status(
    home: HomeOption = DEFAULT_HOME, store: StoreOption = None, *, as_json: AsJson = False
) -> None:
    """Show how many trusted samples there are and how many are needed.

    The last column says what follows: which verdicts cannot be given for lack
    of them. A second table says how often the log's label of a confirmed sample
    is wrong, by that label.
    """
    from mainstem.asking import answers
    from mainstem.evidence import COMBINED
    from mainstem.store.telling import DECIDES
    from mainstem.store.trusted import GIVEN_COUNTS, TRUSTED_COUNTS  # numpy is slow to import
    from mainstem.trusted.status import given_labels, named_in, status_of

    settings, file = Settings.read(os.environ), home / "trusted.jsonl"
    counted, judged = list[Any](), list[Any]()
    if not store and file.exists() and not (home / "history").is_dir():
        print("nothing has been replayed yet; these were added", file=sys.stderr)
        seen = named_in(file, settings)
    else:
        asked = [TRUSTED_COUNTS.sql, GIVEN_COUNTS.sql, DECIDES]
        (_, seen), (_, counted), (_, judged) = answers(home, store, asked)
    header = ("part", "label", "partition", "origin", "have", "need", "what follows")
    learnt = {partition for partition, *how in judged if how == ["given", COMBINED]}
    show_rows(header, status_of(seen, settings, learnt), as_json=as_json)
    if given := given_labels(counted, settings):
        if not as_json:
            print()
        show_rows(_OF_GIVEN, given, as_json=as_json)
    if not as_json:
        explain_words(
            "direction: samples that give the trusted gradient; never trained on",
            "canary: samples that verdicts compare others with, by label and partition",
            "gate: samples that judge whether a new version is promoted; never trained on",
            "origin: assumed, if the label was taken from the log; confirmed or graded, if added",
            *([_WRONG] if given else []),
        )


def _read(file: Path, settings: Settings, share: float | None) -> "Iterator[Labelled | Vouched]":
    """The trusted samples of a file; its first line tells which kind of file it is."""
    from mainstem.errors import TrustError
    from mainstem.events import read_lines
    from mainstem.trusted.files import read_trusted

    first = next(iter(read_lines(file)))
    if first.startswith(b'{"shop"'):
        from mainstem.bench.truth import share_of

        return share_of(file, 0.1 if share is None else share, settings)
    if share is not None:
        msg = f"--share is for a simulated shop's truth, which {str(file)!r} is not; leave it out"
        raise TrustError(msg)
    return read_trusted(read_lines(file), settings.objectives)


def _of_share(share: float | None) -> str:
    return "" if share is None else f" at --share {share:g}"


def _tell_met(home: "HomeFolder", named: "Sequence[Vouched]") -> None:
    """Print how many of the added samples the home's history holds, if it has a history."""
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
        unknown = "whether the samples replayed here include them is not known"
        print(f"{unknown}: {printable(str(error))}", file=sys.stderr)
        return
    absent = [
        one
        for one in named
        if one.sample_id not in met and not (one.event_id and one.question_id in met)
    ]
    if absent:
        print(
            f"{len(named) - len(absent):,} of {len(named):,} are among the samples replayed here; "
            f"one that is not is {absent[0].sample_id}; `mainstem sql '{SOME_SAMPLES}'` lists some "
            "that are",
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
