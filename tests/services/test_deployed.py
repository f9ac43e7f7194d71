"""The deployed programs give what the embedded loop gives, whatever faults happen to them."""

import json
import os
import random
import signal
from pathlib import Path
from typing import Any

import pytest

from mainstem.bootstrap import open_schedule
from mainstem.store.recorded_schedule import RecordedSchedule
from tests.conftest import excerpt_lines
from tests.services.deployed import CLI, PROGRAMS, Deployment, until
from tests.services.faults import Faults, replaying
from tests.small_models import save_bert

TAKEN_OVER = "SELECT count() AS n FROM turns FINAL WHERE kind = 'take over'"
ROUNDS = "SELECT count() AS n FROM versions FINAL WHERE version > 0"
WRITTEN = "SELECT (SELECT count() FROM responses) + (SELECT count() FROM turns) AS n"
COUNTS = "SELECT count() AS n FROM counts FINAL"
FROZEN = {**PROGRAMS, "learn": [*CLI, "train", "learn", "--frozen"]}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 5,000 events of shoppers, with the items first."""
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    path.write_bytes(b"".join(excerpt_lines(5000 + 1836)))
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Save a BERT of one layer of 32 and return its folder."""
    return str(
        save_bert(tmp_path_factory.mktemp("model") / "bert", num_hidden_layers=1, hidden_size=32)
    )


def agreed(deployment: Deployment, log: Path, *how: str) -> dict[str, Any]:
    """Return the report of `verify`, which must exit with 0."""
    done = deployment.run("stream", "verify", log, *how, "--json", check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    return json.loads(done.stdout)


def counted(deployment: Deployment, question: str) -> int:
    """Return the number that answers a question to the history."""
    done = deployment.run("sql", "--store", deployment.store, "--json", question)
    return int(json.loads(done.stdout)["n"])


def is_still(seen: list[int], now: int) -> bool:
    """Record a number, and return whether it was the same four times in a row."""
    seen.append(now)
    return len(seen) > 3 and {now} == set(seen[-4:])


def test_a_deployment_gives_the_hash_of_the_embedded_loop(
    events_url: str, store_url: str, tmp_path: Path, log: Path, model: str
) -> None:
    """A deployment has the embedded hash and balances, and its schedule repeats its judgements."""
    rounds = {
        "MAINSTEM_LEARNING__ROUND_EVERY": "3000",
        "MAINSTEM_LEARNING__EPOCHS": "1",
        "MAINSTEM_LEARNING__GATE_MARGIN": "1",
        "MAINSTEM_RUN__PROCESSES": "2",
    }
    deployment = Deployment(
        events_url, store_url, tmp_path / "stack", {"MAINSTEM_MODEL__MODEL": model, **rounds}
    )
    deployment.run("topics")
    with deployment.running():
        deployment.run("stream", "replay", log)
        deployment.settle(240)
        before = counted(deployment, TAKEN_OVER)
        os.kill(deployment.pid("score-1"), signal.SIGKILL)
        until(lambda: counted(deployment, TAKEN_OVER) > before, 120, deployment.told)
        until(lambda: counted(deployment, ROUNDS) >= 1, 120, deployment.told)
        seen: list[int] = []  # wait until the new version has finished scoring samples again
        until(lambda: is_still(seen, counted(deployment, WRITTEN)), 120, deployment.told)
    same = agreed(deployment, log)
    assert same["hash"] == same["embedded_hash"]
    assert same["counts_hash"] == same["embedded_counts_hash"]
    assert counted(deployment, COUNTS) > 1000
    assert (0, 0) == (same["missing"], len(same["other"]))
    assert deployment.audit()["in_balance"]
    published = open_schedule(events_url)
    printed = deployment.run("stream", "schedule").stdout.encode().splitlines()
    assert RecordedSchedule.of_lines(printed, "printed").digest == published.digest
    repeated = agreed(deployment, log, "--schedule", events_url)
    assert repeated["responses"] > same["responses"]  # later versions are compared too
    assert repeated["judgements"] > 8
    assert ([], []) == (repeated["judged_otherwise"], repeated["other"])
    assert repeated["standings"] > 0


def test_four_faults_change_nothing(
    kafka: Any,
    clickhouse: Any,
    events_url: str,
    store_url: str,
    tmp_path: Path,
    log: Path,
    model: str,
) -> None:
    """Killed and paused programs, broker and ClickHouse change no hash, response or standing."""
    deployment = Deployment(
        events_url, store_url, tmp_path / "stack", {"MAINSTEM_MODEL__MODEL": model}, FROZEN
    )
    deployment.run("topics")
    faults = Faults(deployment, kafka, clickhouse, random.Random(4))
    with deployment.running(), replaying(deployment, log, "12000x") as replayed:
        faults.one("kill", "join-1")
        faults.one("pause", "score-1")
        faults.one("broker")
        faults.one("clickhouse")
        replayed.wait()
        deployment.settle(300)
    same = agreed(deployment, log)
    assert same["hash"] == same["embedded_hash"]
    assert same["counts_hash"] == same["embedded_counts_hash"]
    assert counted(deployment, COUNTS) > 1000
    assert same["standings"] > 0
    assert open_schedule(store_url).digest == open_schedule(events_url).digest
    from mainstem.store import Store

    with Store(store_url) as store:
        rows = "SELECT count(), uniqExact(sample_id, label_version, version) FROM responses FINAL"
        [(written, visits)] = store.rows(rows)
    assert visits == written == same["responses"]
