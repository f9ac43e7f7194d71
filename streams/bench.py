"""`mainstem bench stream` compares one stream worker with bare Faust and with bare aiokafka.

The contenders run one after the other, in several rounds. Each one is a process of its own that
reads the same topic from beginning to end. The bare Faust agent uses the worker's settings of
Faust, decodes each event and sends one record for each question. The bare aiokafka consumer only
reads.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from itertools import count
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Final
from uuid import uuid4

import msgspec
import typer

from mainstem.bootstrap import open_broker
from mainstem.errors import MainstemError
from mainstem.kafka import Broker, DirectReader
from mainstem.printable import in_json
from mainstem.settings.urls import url_of

__all__ = ["bench"]

CONTENDERS: Final = ("mainstem", "faust", "aiokafka")
_SETTINGS: Final = {
    "MAINSTEM_JOIN__QUESTIONS": "purchases",
    "MAINSTEM_JOIN__PARTITIONS": "4",
    "MAINSTEM_PSEUDONYM_KEY": "bench",
}


def bench(
    log: Annotated[
        Path | None, typer.Argument(help="Event log; the default is the excerpt that is shipped.")
    ] = None,
    *,
    events: Annotated[
        int,
        typer.Option(
            min=1000, help="Events to read. A shorter log is repeated with later event times."
        ),
    ] = 100_000,
    rounds: Annotated[
        int, typer.Option(min=1, help="Runs of each contender; the medians are printed.")
    ] = 3,
    to: Annotated[
        str | None,
        typer.Option(envvar="MAINSTEM_EVENTS", help="Broker; without one, the bench starts one."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure the events a second of a stream worker, of bare Faust and of bare aiokafka."""
    with (
        tempfile.TemporaryDirectory(prefix="mainstem-bench-") as folder,
        _broker(to, Path(folder)) as url,
    ):
        there = f"{url}/bench-{uuid4().hex[:8]}"
        environment = {**os.environ, "MAINSTEM_EVENTS": there, **_SETTINGS}
        long = Path(folder, "log.jsonl")
        _lengthen(log, long, events)
        for command in (["topics"], ["stream", "replay", str(long), "--no-tick"]):
            whole = [sys.executable, "-m", "mainstem.cli", *command]
            subprocess.run(  # noqa: S603 - our own command
                whole, env=environment, check=True, stdout=subprocess.DEVNULL
            )
        found: dict[str, list[float]] = {who: [] for who in CONTENDERS}
        for number in range(rounds):
            environment["MAINSTEM_SNAPSHOTS"] = url_of("file", Path(folder, str(number)))
            for who in CONTENDERS:
                speed = _run(who, environment, f"{number}")
                found[who].append(speed)
                print(f"{who}: {speed:,.0f} events/s", file=sys.stderr)
    shown: dict[str, Any] = {who: round(median(speeds)) for who, speeds in found.items()}
    shown |= {
        "ratio": round(shown["mainstem"] / shown["faust"], 3),
        "runs": {who: list(map(round, of)) for who, of in found.items()},
    }
    lines = "\n".join(f"{name:9} {value}" for name, value in shown.items())
    print(in_json(shown) if as_json else lines)


@contextmanager
def _broker(url: str | None, folder: Path) -> Iterator[str]:
    if url:
        yield url.rstrip("/")
        return
    from .local.kafka import LocalKafka, missing

    if lacking := missing():
        msg = f"--to names no broker, and this machine cannot start one: {'; '.join(lacking)}"
        raise MainstemError(msg)
    broker = LocalKafka(folder / "kafka")
    broker.start()
    try:
        yield f"kafka://{broker.servers}"
    finally:
        broker.stop()


def _lengthen(log: Path | None, to: Path, events: int) -> None:
    """Write the log repeatedly, with later event times and other ids, up to a number of events."""
    from mainstem.events import Item, Refusal, Tick, decode, encode, read_lines

    with (
        resources.as_file(resources.files("mainstem.data") / "online-retail.jsonl.gz") as excerpt,
        to.open("wb") as file,
    ):
        rows = [(raw, decode(raw)) for raw in read_lines(log or excerpt)]
        stream = [event for _, event in rows if not isinstance(event, Item | Refusal)]
        times = [event.event_timestamp for event in stream]
        span = max(times) - min(times) + 1
        for raw, event in rows:
            if isinstance(event, Item):
                file.write(raw + b"\n")
        written = 0
        for again in count():
            for event in stream:
                if written == events:
                    return
                written += 1
                later: dict[str, Any] = {"event_timestamp": event.event_timestamp + again * span}
                if not isinstance(event, Tick):
                    later["event_id"] = f"{event.event_id}-{again}"
                file.write(encode(msgspec.structs.replace(event, **later)) + b"\n")


def _run(who: str, environment: dict[str, str], group: str) -> float:
    """Let a contender read the whole topic; returns its events a second."""
    command = [sys.executable, "-m", "mainstem.streams.bench", who, group]
    done = subprocess.run(  # noqa: S603 - our own command
        command, env=environment, capture_output=True, text=True, check=False
    )
    for line in done.stdout.splitlines():
        if "events/s " in line:  # Faust puts a control sequence before it
            return float(line.split()[-1])
    msg = f"{who} ended before it had read the whole topic: {done.stderr[-500:]}"
    raise MainstemError(msg)


class _Stopwatch:
    """Measures the time from the first event to the last, prints the speed and ends the process."""

    def __init__(self, total: int) -> None:
        self.done, self._total, self._begun = 0, total, 0.0

    def note(self, done: int) -> None:
        if not self._begun:
            self.done, self._begun = done, time.perf_counter()
        if done >= self._total:
            speed = (done - self.done) / (time.perf_counter() - self._begun)
            print(f"events/s {speed:.1f}", flush=True)
            os._exit(0)


def _contend(who: str, group: str) -> None:
    broker = open_broker(os.environ["MAINSTEM_EVENTS"])
    with DirectReader(broker, broker.topic("events")) as reader:
        total = sum(reader.end(partition) for partition in reader.partitions())
    watch = _Stopwatch(total)
    {"mainstem": _mainstem, "faust": _faust, "aiokafka": _aiokafka}[who](broker, group, watch)


def _mainstem(_: Broker, group: str, watch: _Stopwatch) -> None:
    from mainstem.kafka import Monitor
    from mainstem.settings import Settings
    from mainstem.settings.addresses import Addresses

    from .app import calm_collector, make_app

    calm_collector()

    addresses = Addresses.from_environment(os.environ, "events", "snapshots")
    settings = Settings.read(os.environ)
    app, worker = make_app(
        addresses, settings, b"bench", Monitor("127.0.0.1:0"), 20.0, group=f"bench-{group}"
    )
    _watch_and_run(app, lambda: worker.events, watch)


def _faust(broker: Broker, group: str, watch: _Stopwatch) -> None:
    import faust

    from mainstem.events import Purchase, decode

    from .app import BATCH, FAUST, WITHIN

    servers = [f"aiokafka://{server}" for server in broker.servers]
    name, login = f"bare-{group}-{uuid4().hex[:6]}", broker.login.credentials()
    app = faust.App(
        name, broker=servers, broker_credentials=login, datadir=tempfile.mkdtemp(), **FAUST
    )
    done = 0

    raw = app.topic(broker.topic("events"), value_serializer="raw", key_serializer="raw")

    @app.agent(raw)  # type: ignore[untyped-decorator]
    async def bare(stream: Any) -> None:
        nonlocal done
        async for batch in stream.noack_take(BATCH, within=WITHIN):
            sent = []
            for event in batch:
                message = event.message
                if isinstance(decode(message.value), Purchase):
                    to = broker.topic("trusted")  # during the bench nobody reads this topic
                    record = (to, message.key, message.value, 0, None, None)
                    sent.append(await app.producer.send(*record))
            await asyncio.gather(*sent)
            for event in batch:
                event.ack()
            done += len(batch)

    _watch_and_run(app, lambda: done, watch)


def _watch_and_run(app: Any, done: Callable[[], int], watch: _Stopwatch) -> None:
    import faust
    import mode.loop

    mode.loop.use("uvloop")

    @app.task  # type: ignore[untyped-decorator]
    async def look() -> None:
        while True:
            if now := done():
                watch.note(now)
            await asyncio.sleep(0.01)

    quietly = {"override_logging": False, "quiet": True, "redirect_stdouts": False}
    faust.Worker(app, loglevel="ERROR", **quietly).execute_from_commandline()


def _aiokafka(broker: Broker, group: str, watch: _Stopwatch) -> None:
    from aiokafka import AIOKafkaConsumer

    async def read() -> None:
        consumer = AIOKafkaConsumer(
            broker.topic("events"),
            **broker.options,
            group_id=f"aiokafka-{group}-{uuid4().hex[:6]}",
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=4 << 20,
        )
        await consumer.start()
        done = 0
        while True:
            for records in (await consumer.getmany(timeout_ms=500, max_records=2000)).values():
                done += len(records)
                watch.note(done)

    asyncio.run(read())


if __name__ == "__main__":
    _contend(*sys.argv[1:])
