"""The stack as processes on one machine: servers, supervised programs and two commands."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from mainstem.errors import HomeError, MainstemError
from mainstem.streams.local import clickhouse as clickhouse_module
from mainstem.streams.local import kafka as kafka_module
from mainstem.streams.local import up as up_module
from mainstem.streams.local.environment import environment_of
from mainstem.streams.local.process import LocalProcess, wait_for
from mainstem.streams.local.stack import end_stack, holder_of
from mainstem.streams.local.supervisor import STATE
from tests.services.processes import SLEEP, is_alive, until

STACK = """
    import sys
    from pathlib import Path
    from mainstem.streams.local.stack import Stack
    from mainstem.streams.local.process import LocalProcess
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    deaf += "print('deaf', flush=True); "
    deaf = deaf if "deaf" in sys.argv else "import time; "
    sleep = [sys.executable, "-c", deaf + "time.sleep(1000)"]
    fails = [sys.executable, "-c", "print('no wish to run'); exit(3)"]
    programs = {"one": sleep, "two": fails if "fails" in sys.argv else sleep}
    servers = [LocalProcess(sleep, Path(sys.argv[1], "server.log"))] if "deaf" in sys.argv else []
    prepare = fails if "unprepared" in sys.argv else [sys.executable, "-c", ""]
    stack = Stack(
        folder=Path(sys.argv[1]), servers=servers, prepare=prepare, programs=programs,
        environment={},
    )
    stack.run(lambda: print("runs", flush=True))
"""
"""A stack of two programs in the given folder, without servers.

With the word `deaf` there is a server too, and all of them ignore SIGTERM.
"""


def stack_command(folder: Path, *words: str) -> list[str]:
    """Return a command that runs `STACK`."""
    return [sys.executable, "-c", textwrap.dedent(STACK), str(folder), *words]


def pids(folder: Path) -> list[int]:
    """Return the process ids of a stack's programs."""
    return [program["pid"] for program in json.loads((folder / STATE).read_text()).values()]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Path]:
    """Folder in which `STACK` runs."""
    up_module.detach(stack_command(tmp_path), tmp_path, ["one", "two"], settled=0)
    yield tmp_path
    end_stack(tmp_path)


def test_a_killed_broker_comes_back_with_its_records(kafka: Any, events_url: str) -> None:
    """Acknowledged records survive SIGKILL of the broker, which comes back at the same address."""
    if not hasattr(kafka, "kill"):
        pytest.skip("the broker given by MAINSTEM_TEST_KAFKA is not ours to kill")
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition
    from kafka.admin import KafkaAdminClient

    topic, before = events_url.rpartition("/")[2], kafka.pid
    admin = KafkaAdminClient(bootstrap_servers=kafka.servers)
    admin.create_topics(
        {topic: {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True
    )
    admin.close()
    producer = KafkaProducer(bootstrap_servers=kafka.servers, acks="all")
    producer.send(topic, b"kept").get(30)
    producer.close()
    kafka.kill()
    assert not is_alive(before)
    kafka.start()
    assert kafka.pid not in {0, before}
    consumer = KafkaConsumer(
        bootstrap_servers=kafka.servers, auto_offset_reset="earliest", consumer_timeout_ms=30_000
    )
    consumer.assign([TopicPartition(topic, 0)])
    assert b"kept" == next(consumer).value
    consumer.close()


def test_a_killed_server_comes_back_with_its_rows(clickhouse: Any, store_url: str) -> None:
    """Written rows survive SIGKILL of ClickHouse."""
    if not hasattr(clickhouse, "kill"):
        pytest.skip("the server given by MAINSTEM_TEST_CLICKHOUSE is not ours to kill")
    from mainstem.store import Store

    with Store(store_url) as store:
        expected = store.rows("SELECT number, name FROM migrations ORDER BY number")
    clickhouse.kill()
    clickhouse.start()
    with Store(store_url) as store:
        assert expected == store.rows("SELECT number, name FROM migrations ORDER BY number")


def test_the_reader_can_only_read(clickhouse: Any) -> None:
    """The second user of a server may read and can change nothing."""
    if not hasattr(clickhouse, "kill"):
        pytest.skip("the server given by MAINSTEM_TEST_CLICKHOUSE has users of its own")
    import clickhouse_connect
    from clickhouse_connect.driver.exceptions import DatabaseError

    url = clickhouse.url("default").replace("//mainstem:mainstem@", "//reader:reader@")
    with clickhouse_connect.get_client(dsn=url) as client:
        assert 1 == client.command("SELECT 1")
        with pytest.raises(DatabaseError, match="READONLY"):
            client.command("CREATE DATABASE mine")


def test_what_is_missing_is_said_with_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every missing program is named on an empty PATH with an empty cache."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("MAINSTEM_CLICKHOUSE_BINARY", raising=False)
    java, maven = kafka_module.missing()
    assert java.startswith("java (17 or newer)")
    assert "apt-get install" in java
    assert maven.startswith("mvn ")
    assert "MAINSTEM_CLICKHOUSE_BINARY" in clickhouse_module.missing()[0]


def test_up_says_all_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`mainstem up` exits with 1, one line for each missing program and no folder."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("MAINSTEM_CLICKHOUSE_BINARY", raising=False)
    with pytest.raises(typer.Exit) as caught:
        up_module.up(tmp_path / "stack")
    assert 1 == caught.value.exit_code
    said = capsys.readouterr().err
    assert "java (17" in said
    assert "clickhouse (ClickHouse)" in said
    assert not (tmp_path / "stack").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_stack_and_all_its_programs(
    tmp_path: Path, number: signal.Signals
) -> None:
    """SIGTERM and Ctrl-C end the stack with exit code 0 and leave no program running."""
    with subprocess.Popen(stack_command(tmp_path), stdout=subprocess.PIPE) as child:
        assert child.stdout
        assert b"runs\n" == child.stdout.readline()
        until((tmp_path / STATE).exists)
        programs = pids(tmp_path)
        assert all(map(is_alive, programs))
        child.send_signal(number)
        assert 0 == child.wait(30)
    assert [] == [pid for pid in programs if is_alive(pid)]
    assert 0 == holder_of(tmp_path)


def test_a_stack_of_the_deaf_ends_within_ten_seconds(tmp_path: Path) -> None:
    """Programs and servers that ignore SIGTERM are killed within ten seconds."""
    with subprocess.Popen(stack_command(tmp_path, "deaf"), stdout=subprocess.PIPE) as child:
        logs = [tmp_path / f"{name}.log" for name in ("one", "two", "server")]
        until(lambda: all(log.exists() and "deaf" in log.read_text() for log in logs))
        programs = pids(tmp_path)
        begun = time.monotonic()
        child.send_signal(signal.SIGTERM)
        assert 0 == child.wait(30)
    assert time.monotonic() - begun < 10
    assert [] == [pid for pid in programs if is_alive(pid)]


def test_a_killed_program_of_a_stack_comes_back(running: Path) -> None:
    """A killed program of a stack starts again, and stack.json counts the restart."""
    first = pids(running)[0]
    os.kill(first, signal.SIGKILL)
    until(lambda: pids(running)[0] not in {0, first})
    assert 1 == json.loads((running / STATE).read_text())["one"]["restarts"]


def test_up_is_refused_where_a_stack_runs(running: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second `mainstem up` for a folder names the running process and the way to end it."""
    for module in (kafka_module, clickhouse_module):
        monkeypatch.setattr(module, "missing", list)
    with pytest.raises(HomeError, match=f"process {holder_of(running)} .*mainstem down"):
        up_module.up(running)
    refused = subprocess.run(stack_command(running), capture_output=True, text=True, check=False)
    assert "runs a stack" in refused.stderr


def test_down_ends_what_up_began(running: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`mainstem down` returns after the programs have ended, and does nothing a second time."""
    programs = pids(running)
    up_module.down(running)
    assert [] == [pid for pid in programs if is_alive(pid)]
    up_module.down(running)
    assert ["ended the stack", "no stack runs"] == [
        line.removeprefix("mainstem: ").split(" in ")[0]
        for line in capsys.readouterr().err.splitlines()
    ]


def test_detaching_says_which_program_did_not_stay_up(tmp_path: Path) -> None:
    """A program that keeps ending is named with the end of its log, and other programs are not."""
    with pytest.raises(MainstemError, match=r"^two did not stay up(?s:.*)no wish to run"):
        up_module.detach(
            stack_command(tmp_path, "fails"), tmp_path, ["one", "two"], settled=0.3, wait=1.5
        )
    assert end_stack(tmp_path)


def test_a_stack_that_cannot_be_prepared_does_not_start(tmp_path: Path) -> None:
    """A failing preparation stops the start, its output is quoted, and nothing is left running."""
    with pytest.raises(MainstemError, match="no wish to run"):
        up_module.detach(stack_command(tmp_path, "unprepared"), tmp_path, ["one", "two"])
    assert 0 == holder_of(tmp_path)


def test_a_process_that_ends_before_it_is_ready_is_an_error_with_its_log(tmp_path: Path) -> None:
    """A process that ends before it is ready is an error that quotes the end of its log."""
    process = LocalProcess([sys.executable, "-c", "exit('port taken')"], tmp_path / "server.log")
    process.start()
    with pytest.raises(MainstemError, match=r"server ended with code 1(?s:.*)port taken"):
        wait_for(process, lambda: False, 30, MainstemError)


def test_a_paused_process_can_go_on_and_can_be_ended(tmp_path: Path) -> None:
    """A process paused by SIGSTOP stays alive, and SIGTERM ends it without resuming it."""
    process = LocalProcess(SLEEP, tmp_path / "server.log")
    process.start()
    process.pause()
    until(lambda: "\nState:\tT" in Path(f"/proc/{process.pid}/status").read_text())
    process.resume()
    until(lambda: "\nState:\tT" not in Path(f"/proc/{process.pid}/status").read_text())
    process.pause()
    process.stop(10)
    assert -signal.SIGTERM == process.code


def test_the_environment_is_private_sourceable_and_keeps_its_key(tmp_path: Path) -> None:
    """The environment file is private, works in a shell, and keeps its key and given values."""
    first = environment_of(
        tmp_path,
        {"MAINSTEM_STORE": "a", "MAINSTEM_JOIN__PARTITIONS": "2"},
        {"MAINSTEM_STORE": "it's mine"},
    )
    assert 0o600 == (tmp_path / "environment").stat().st_mode & 0o777
    shell = [
        "bash",
        "-c",
        (
            f". {tmp_path}/environment && "
            "echo $MAINSTEM_STORE,$MAINSTEM_JOIN__PARTITIONS,$MAINSTEM_PSEUDONYM_KEY"
        ),
    ]
    said = subprocess.run(shell, capture_output=True, text=True, check=True, env={}).stdout.strip()
    assert f"it's mine,2,{first['MAINSTEM_PSEUDONYM_KEY']}" == said
    assert first == environment_of(
        tmp_path, {"MAINSTEM_STORE": "it's mine", "MAINSTEM_JOIN__PARTITIONS": "2"}, {}
    )
