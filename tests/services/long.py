"""Replay a long log through a whole deployment, and print its time, its hash and memory.

python -m tests.services.long LOG --events 50000

The hash of the embedded loop is printed beside the deployment's, and memory for each program.
"""

import argparse
import json
import os
import tempfile
import threading
import time
from collections import defaultdict
from itertools import islice
from pathlib import Path
from statistics import median

from mainstem.events import read_lines
from mainstem.streams.local.clickhouse import LocalClickHouse
from mainstem.streams.local.kafka import LocalKafka
from tests.services.deployed import CLI, PROGRAMS, Deployment
from tests.small_models import save_bert


def resident(process: int) -> int:
    """Return the memory of a process in megabytes, or 0 if the process has ended."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE") >> 20


def main() -> None:
    """Run the replay and print the measurements."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("log", type=Path)
    arguments.add_argument("--events", type=int, default=50_000)
    arguments.add_argument("--speed", default="max")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = folder / "log.jsonl"
        items = sum(b'"type":"item"' in line for line in islice(read_lines(given.log), 20_000))
        log.write_bytes(
            b"".join(line + b"\n" for line in islice(read_lines(given.log), items + given.events))
        )
        kafka = LocalKafka(folder / "kafka")
        clickhouse = LocalClickHouse(
            folder / "clickhouse", binary=os.environ.get("MAINSTEM_TEST_CLICKHOUSE_BINARY")
        )
        kafka.start()
        clickhouse.start()
        try:
            run(folder, log, kafka, clickhouse, given.speed)
        finally:
            kafka.stop()
            clickhouse.stop()


def run(
    folder: Path, log: Path, kafka: LocalKafka, clickhouse: LocalClickHouse, speed: str
) -> None:
    """Run a deployment from the first event until everything is settled."""
    model = {
        "MAINSTEM_MODEL__MODEL": str(
            save_bert(folder / "bert", num_hidden_layers=1, hidden_size=32)
        )
    }
    programs = {**PROGRAMS, "learn": [*CLI, "train", "learn", "--frozen"]}
    deployment = Deployment(
        f"kafka://{kafka.servers}/long", clickhouse.url("long"), folder / "stack", model, programs
    )
    deployment.run("topics")
    seen: dict[str, list[int]] = defaultdict(list)
    over = threading.Event()

    def look() -> None:
        while not over.wait(1):
            for name in programs:
                seen[name].append(resident(deployment.pid(name)))

    begun = time.monotonic()
    with deployment.running():
        watcher = threading.Thread(target=look)
        watcher.start()
        print(deployment.run("stream", "replay", log, "--speed", speed).stdout.strip(), flush=True)
        print(f"replayed after {time.monotonic() - begun:.0f} s", flush=True)
        deployment.settle(3000)
        print(f"settled after {time.monotonic() - begun:.0f} s", flush=True)
        over.set()
        watcher.join()
    for name, sizes in seen.items():
        fifth = max(len(sizes) // 10, 1)
        middle, end = (
            median(sizes[len(sizes) // 2 - fifth : len(sizes) // 2 + fifth]),
            median(sizes[-fifth:]),
        )
        print(
            f"{name:8} {middle:.0f} MB in the middle, {end:.0f} MB at the end "
            f"({end / max(middle, 1) - 1:+.1%})"
        )
    print(deployment.run("audit", check=False).stdout)
    found = json.loads(deployment.run("stream", "verify", log, "--json", check=False).stdout)
    print(
        {
            name: value if not isinstance(value, list) else len(value)
            for name, value in found.items()
        }
    )


if __name__ == "__main__":
    main()
