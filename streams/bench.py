"""`mainstem bench stream`: events a second of one stream worker, beside a bare Faust agent and a bare aiokafka consumer.

Each contender is a process of its own that reads the same topic from its beginning to its end, one after the other, round
after round. The bare agent has the same settings of Faust, decodes each event and sends one record for each question.
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
        Path | None, typer.Argument(help="Event log; without one, the shipped excerpt.")
    ] = None,
    *,
    events: Annotated[
        int,
        typer.Option(min=1000, help="Events to read; a shorter log is repeated, each time later."),
    ] = 100_000,
    rounds: Annotated[
        int, typer.Option(min=1, help="Runs of each contender; medians are shown.")
    ] = 3,
    to: Annotated[
        str | None,
        typer.Option(envvar="MAINSTEM_EVENTS", help="A broker; without one, one is started."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Events a second of one stream worker, of a bare Faust agent and of a bare aiokafka consumer."""
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
            subprocess.run(whole, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command
        found: dict[str, list[float]] = {who: [] for who in CONTENDERS}
        for number in range(rounds):
            for who in CONTENDERS:
                speed = _run(
                    who,
                    {
                        **environment,
                        "MAINSTEM_SNAPSHOTS": url_of("file", Path(folder, str(number))),
                    },
                    f"{number}",
                )
                found[who].append(speed)
                print(f"{who}: {speed:,.0f} events/s", file=sys.stderr)
    shown: dict[str, Any] = {who: round(median(speeds)) for who, speeds in found.items()}
    shown |= {
        "ratio": round(shown["mainstem"] / shown["faust"], 3),
        "runs": {who: list(map(round, of)) for who, of in found.items()},
    }
    print(
        in_json(shown)
        if as_json
        else "\n".join(f"{name:9} {value}" for name, value in shown.items())
    )


@contextmanager
def _broker(url: str | None, folder: Path) -> Iterator[str]:
    if url:
        yield url.rstrip("/")
        return
    from .local.kafka import LocalKafka, missing

    if lacking := missing():
        msg = f"--to names no broker, and none can be started here: {'; '.join(lacking)}"
        raise MainstemError(msg)
    broker = LocalKafka(folder / "kafka")
    broker.start()
    try:
        yield f"kafka://{broker.servers}"
    finally:
        broker.stop()


def _lengthen(log: Path | None, to: Path, events: int) -> None:
    """The log again and again, each time later and with other ids, until it has so many events."""
    from mainstem.events import Item, Refusal, Tick, decode, encode, read_lines

    with (
        resources.as_file(resources.files("mainstem.data") / "online-retail.jsonl.gz") as excerpt,
        to.open("wb") as file,
    ):
        rows = [(raw, decode(raw)) for raw in read_lines(log or excerpt)]
        told = [event for _, event in rows if not isinstance(event, Item | Refusal)]
        span = (
            max(event.event_timestamp for event in told)
            - min(event.event_timestamp for event in told)
            + 1
        )
        for raw, event in rows:
            if isinstance(event, Item):
                file.write(raw + b"\n")
        written = 0
        for again in count():
            for event in told:
                if written == events:
                    return
                written += 1
                later: dict[str, Any] = {"event_timestamp": event.event_timestamp + again * span}
                if not isinstance(event, Tick):
                    later["event_id"] = f"{event.event_id}-{again}"
                file.write(encode(msgspec.structs.replace(event, **later)) + b"\n")


def _run(who: str, environment: dict[str, str], group: str) -> float:
    """Let one contender read the whole topic; events a second between its first and its last."""
    command = [sys.executable, "-m", "mainstem.streams.bench", who, group]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    for line in done.stdout.splitlines():
        if "events/s " in line:  # Faust puts a control sequence before it
            return float(line.split()[-1])
    msg = f"{who} did not come to the end: {done.stderr[-500:]}"
    raise MainstemError(msg)


class _Stopwatch:
    """Runs from the first event to the last, then prints and ends the process."""

    def __init__(self, total: int) -> None:
        self.done, self._total, self._begun = 0, total, 0.0

    def note(self, done: int) -> None:
        if not self._begun:
            self.done, self._begun = done, time.perf_counter()
        if done >= self._total:
            print(
                f"events/s {(done - self.done) / (time.perf_counter() - self._begun):.1f}",
                flush=True,
            )
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

    @app.agent(app.topic(broker.topic("events"), value_serializer="raw", key_serializer="raw"))  # type: ignore[untyped-decorator]
    async def bare(stream: Any) -> None:
        nonlocal done
        async for batch in stream.noack_take(BATCH, within=WITHIN):
            sent = []
            for event in batch:
                message = event.message
                if isinstance(decode(message.value), Purchase):
                    to = broker.topic("trusted")  # a topic that nobody reads
                    sent.append(
                        await app.producer.send(to, message.key, message.value, 0, None, None)
                    )
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

    faust.Worker(
        app, loglevel="ERROR", override_logging=False, quiet=True, redirect_stdouts=False
    ).execute_from_commandline()


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
