"""Commands of the programs that need torch: `mainstem train score` and `mainstem train learn`."""

import logging
import os
from typing import Annotated, Final

import typer

from mainstem.bootstrap import open_broker
from mainstem.cli.programs import HttpOption, SessionOption, begin, settled
from mainstem.kafka.reach import reach, reach_store
from mainstem.settings import Settings
from mainstem.settings.addresses import Addresses

__all__ = ["train"]

_LOG: Final = logging.getLogger("mainstem")

train = typer.Typer(
    help="Programs that score samples and learn from them, beside Kafka.", no_args_is_help=True
)


@train.command()
def score(
    http: HttpOption = "127.0.0.1:6068",
    session_timeout: SessionOption = 20.0,
    idle: Annotated[
        float,
        typer.Option(
            min=0, help="Seconds without new samples after which partitions are judged once more."
        ),
    ] = 5.0,
) -> None:
    """Score samples and judge them. Several workers share the partitions."""
    settings = settled()
    addresses = Addresses.from_environment(os.environ, "events", "store", "versions")
    monitor = begin(http)
    broker = open_broker(addresses.events)
    reach(broker, ["samples", "trusted", "versions"], ["standings", "schedule"], "score")
    reach_store(addresses.store)
    from mainstem.bootstrap import threads  # torch is slow to import

    from .running import run_scorer

    run_scorer(addresses, _computing(settings, threads()), monitor, session_timeout, idle)


@train.command()
def learn(
    http: HttpOption = "127.0.0.1:6069",
    session_timeout: SessionOption = 20.0,
    *,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="Train each round on so many processes of this machine."),
    ] = None,
    frozen: Annotated[
        bool,
        typer.Option("--frozen", help="Make and announce the first version, but run no round."),
    ] = False,
) -> None:
    """Make the first version, then run rounds and announce the versions that they promote.

    One learner works at a time; further learners wait to take over.
    """
    settings = settled({"run.processes": processes})
    addresses = Addresses.from_environment(os.environ, "events", "store", "versions")
    monitor = begin(http)
    reach(open_broker(addresses.events), ["versions"], ["versions", "schedule"], "learn")
    reach_store(addresses.store)
    from mainstem.bootstrap import threads

    from .running import run_learner

    run_learner(addresses, _computing(settings, threads()), monitor, session_timeout, frozen=frozen)


def _computing(settings: Settings, threads: int) -> Settings:
    """Settle what this machine decides, refuse what it cannot do, and log both."""
    from mainstem.models.choices import settled_on, told
    from mainstem.process.machine import this_machine

    found = settled_on(settings, {}, this_machine(), threads)
    _LOG.info("computes %s, with OMP_NUM_THREADS=%d", told(found), threads)
    return found
