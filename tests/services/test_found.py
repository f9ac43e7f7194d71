"""The programs cope with Kafka as they find it: absent, paused, compressed or transactional."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mainstem.events import Item, encode
from mainstem.kafka import Broker
from tests.join.shop import view
from tests.kafka.topic import produce, produce_in_transactions
from tests.services.deployed import Deployment, until
from tests.services.running import PROGRAMS, Running, sql

PORTLESS = ["--http", "127.0.0.1:0"]


def test_every_command_tells_an_absent_broker_in_one_line(tmp_path: Path, small_log: Path) -> None:
    """Every command reports an absent broker or history in one line without waiting."""
    deployment = Deployment(
        "kafka://127.0.0.1:1/shop", "clickhouse://127.0.0.1:1/shop", tmp_path, {}
    )
    trusted = tmp_path / "trusted.jsonl"
    trusted.write_text('{"event_id":"e","item_id":"cup","label":1}\n')
    commands = [
        *([*words, *PORTLESS] for words in PROGRAMS.values()),
        ["topics"],
        ["audit"],
        ["stream", "replay", small_log],
        ["stream", "verify", small_log],
        ["trust", "add", trusted, "--to", deployment.events],
        ["trust", "status", "--store", deployment.store],
    ]
    with ThreadPoolExecutor(2) as pool:
        for command, done in zip(
            commands,
            pool.map(lambda words: deployment.run(*words, check=False), commands),
            strict=True,
        ):
            assert 1 == done.returncode, (command, done.stderr)
            assert 1 == len(done.stderr.splitlines()), (command, done.stderr)
            assert "127.0.0.1" in done.stderr


def test_every_program_ends_while_it_waits_for_servers(
    kafka: Any, clickhouse: Any, events_url: str, store_url: str, tmp_path: Path
) -> None:
    """Every program ends within ten seconds of being asked while its servers do not answer."""
    if not hasattr(kafka, "pause") or not hasattr(clickhouse, "pause"):
        pytest.skip("the servers are not ours to pause")
    deployment = Deployment(events_url, store_url, tmp_path, {"MAINSTEM_JOIN__PARTITIONS": "1"})
    deployment.run("topics")
    running = Running(deployment)
    try:
        until(running.ready, 120)
        kafka.pause()
        clickhouse.pause()
        time.sleep(3)
        ended = running.end()
    finally:
        kafka.resume()
        clickhouse.resume()
        running.kill()
    assert dict.fromkeys(PROGRAMS, True) == {name: in_time for name, (_, in_time) in ended.items()}
    assert not [name for name in PROGRAMS if "Traceback" in (tmp_path / f"{name}.log").read_text()]


def test_transactions_codecs_and_odd_records_balance(
    events_url: str, store_url: str, tmp_path: Path
) -> None:
    """Aborted records are not joined, records that are no events are rejected, and all balances."""
    deployment = Deployment(
        events_url,
        store_url,
        tmp_path,
        {"MAINSTEM_JOIN__PARTITIONS": "1", "MAINSTEM_JOIN__QUESTIONS": "shown"},
    )
    deployment.run("topics")
    broker = Broker.parse(events_url)
    events, items = broker.topic("events"), broker.topic("items")
    cup = encode(Item(event_id="i", event_timestamp=1, item_id="cup", title="a cup"))
    views = [encode(view(f"e{number}", number, "cup")) for number in range(6)]
    produce(broker, items, [cup, None, b"no item"], compression_type="zstd")
    produce(
        broker,
        events,
        [None, b"", b"\x00\x00\x00\x00\x07{}", views[0], b"[" + b"1," * 400_000 + b"1]"],
        compression_type="lz4",
    )
    produce_in_transactions(
        broker, events, [(views[1:3], True), ([views[3], b"never"], False), (views[4:5], True)]
    )
    produce(broker, events, views[5:], compression_type="snappy")
    produce_in_transactions(broker, items, [([cup], False)])
    running = Running(deployment)
    try:
        until(running.ready, 120)
        produce(broker, broker.topic("samples"), [b"somebody else's", None])
        produce_in_transactions(broker, f"{events}", [([b"aborted at the end"], False)])
        until(lambda: deployment.audit()["in_balance"], 60, deployment.told)
        until(lambda: len(rejected(deployment)) == 8, 30, lambda: str(rejected(deployment)))
        ended = running.end()
    finally:
        running.kill()
    assert [("events", 4), ("items", 2), ("samples", 2)] == sorted(
        {
            (topic, sum(one[0] == topic for one in rejected(deployment)))
            for topic in ("events", "items", "samples")
        }
    )
    asked = deployment.audit()["ledger"]
    assert {"events": "5", "items": "0"} == {
        line["topic"]: line["question"].split()[0] for line in asked
    }
    assert dict.fromkeys(PROGRAMS, (0, True)) == ended


def rejected(deployment: Deployment) -> list[tuple[object, object]]:
    """Return topic and offset of each rejection."""
    return [
        (row["topic"], row["offset"])
        for row in sql(deployment, "SELECT topic, offset FROM rejected FINAL")
    ]
