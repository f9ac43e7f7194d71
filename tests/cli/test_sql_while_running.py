"""A home in use answers questions through the process that holds it."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from mainstem.embedded.home import SOCKET, HomeFolder
from mainstem.errors import StoreError
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.answering import Answerer, Asker
from tests.chaos import command
from tests.conftest import SMALL, Run
from tests.services.processes import until

ENDLESS = "SELECT count() FROM system.numbers"
RUNNING = (
    "SELECT count() FROM system.processes "
    "WHERE query LIKE '%of whom%' AND query NOT LIKE '%system.processes%'"
)
EVERY_TYPE = """
    SELECT toUUID('35e58da0-a9c8-20d0-81ca-9032c9e3fe09') AS a,
           toDateTime64('2010-12-01 08:26:00.5', 3, 'UTC') AS b,
           toDateTime64('2010-12-01 08:26:00.5', 3, 'Europe/Berlin') AS c,
           toDate('2010-12-01') AS d,
           [toDateTime64('2010-12-01 08:26:00', 3, 'Europe/Berlin')] AS e,
           [a] AS f, ['x', 'y'] AS g, [[1.5, nan]] AS h,
           CAST(NULL AS Nullable(String)) AS i, CAST(7 AS Nullable(UInt8)) AS j,
           toFixedString('abc', 5) AS k, toDecimal64('1.20', 2) AS l, tuple(1, 'x', a) AS m,
           map('x', toDate('2010-12-01')) AS n, map(1, [a]) AS o,
           nan AS p, -inf AS q, toFloat32(0.1) AS r, toUInt64(18446744073709551615) AS s,
           toInt64('-9223372036854775808') AS t,
           toDateTime('2010-12-01 08:26:00', 'UTC') AS u, toIPv4('1.2.3.4') AS v,
           true AS w, '红色' AS x, unhex('ff00') AS y,
           CAST('b', 'Enum8(\\'a\\' = 1, \\'b\\' = 2)') AS z, toLowCardinality('low') AS aa
"""


@contextmanager
def held(folder: Path) -> Iterator[Store]:
    """Hold a home in this process, and answer questions."""
    with (
        HomeFolder(folder, create=True) as home,
        Store(home.store_url) as store,
        Answerer(home.folder / SOCKET, partial(Store, home.store_url)),
    ):
        yield store


@pytest.fixture(params=["home", "a-deep-folder-" * 8])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A home that nobody holds, with one sample; also one whose path is too long for a socket."""
    folder = tmp_path / request.param
    with HomeFolder(folder, create=True) as made:
        made.settle(Settings(), {})
        with Store(made.store_url) as store:
            sample = {"sample_id": ["35e58da0-a9c8-20d0-81ca-9032c9e3fe09"]}
            store.write("trusted", {**sample, "part": ["a"], "origin": ["b"]})
    return folder


def started(*arguments: object, **more: str) -> subprocess.Popen[str]:
    """Start the command line in the background."""
    return subprocess.Popen(
        [sys.executable, "-m", "mainstem.cli", *map(str, arguments)],
        env={**os.environ, **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def replaying(log: Path, home: Path) -> subprocess.Popen[str]:
    """Start a replay and wait for its first checkpoint."""
    process = subprocess.Popen(
        command(log, home),
        env={**os.environ, **SMALL},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    until(lambda: (home / "checkpoint").exists() or process.poll() is not None)
    assert process.poll() is None
    return process


def test_a_replay_answers_and_ends_as_if_nobody_had_asked(
    small_log: Path, small_home: Path, tmp_path: Path, mainstem: Run
) -> None:
    """Four commands get answers during a replay, and do not change its report."""
    home = tmp_path / "home"
    process = replaying(small_log, home)
    sql = "SELECT sample_id, (SELECT count() FROM samples) AS n FROM samples LIMIT 1"
    asked = mainstem("sql", sql, "--home", home, "--json")
    assert (0, None) == (asked.returncode, process.poll()), asked.stderr
    row = json.loads(asked.stdout)
    assert 0 < row["n"] < 1500
    done = [
        mainstem(*one, "--home", home)
        for one in (["sets"], ["versions"], ["history", row["sample_id"]])
    ]
    assert [0, 0, 0] == [one.returncode for one in done]
    report = json.loads(process.communicate()[0])
    whole = json.loads((small_home.parent / "report.json").read_text())
    assert (whole["hash"], whole["set_hash"]) == (report["hash"], report["set_hash"])
    assert not (home / SOCKET).exists()


def test_a_socket_left_by_a_kill_is_ignored_and_replaced(
    small_log: Path, tmp_path: Path, mainstem: Run
) -> None:
    """After kill -9 a question opens the home itself, and the next holder replaces the socket."""
    home = tmp_path / "home"
    process = replaying(small_log, home)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (home / SOCKET).exists()
    count = ("sql", "SELECT count() > 0 FROM samples", "--home", home, "--json")
    alone = mainstem(*count)
    with held(home):
        answered = mainstem(*count)
    assert (0, 0, alone.stdout) == (alone.returncode, answered.returncode, answered.stdout)


@pytest.mark.parametrize("how", [(), ("--json",)])
def test_every_type_prints_as_it_does_at_home(
    home: Path, how: tuple[str, ...], mainstem: Run
) -> None:
    """Values of all types print the same from the holder and from the home."""
    alone = mainstem("sql", EVERY_TYPE, "--home", home, *how)
    with held(home):
        answered = mainstem("sql", EVERY_TYPE, "--home", home, *how)
    assert (0, "") == (alone.returncode, alone.stderr)
    assert (0, alone.stdout) == (answered.returncode, answered.stdout)


@pytest.mark.parametrize(
    "query",
    [
        "DROP TABLE trusted",
        "INSERT INTO trusted SELECT * FROM trusted",
        "SELECT nothing",
        "SELECT 1; SELECT 2",
    ],
)
def test_a_refusal_is_the_same_line(home: Path, query: str, mainstem: Run) -> None:
    """A write or a wrong query has the same error from the holder and from the home."""
    alone = mainstem("sql", query, "--home", home)
    with held(home) as store:
        answered = mainstem("sql", query, "--home", home)
        assert [(1,)] == store.rows("SELECT count() FROM trusted")
    assert (1, "", alone.stderr) == (answered.returncode, answered.stdout, answered.stderr)


def test_a_stream_half_read_does_not_hold_up_a_question(home: Path) -> None:
    """Questions are answered while the holder reads a stream, and the stream goes on."""
    with held(home) as store:
        rows = store.stream("SELECT number FROM system.numbers LIMIT 1000000")
        first = next(rows)
        for _ in range(3):
            assert (("1",), [(1,)]) == Asker(home / SOCKET).ask("SELECT 1")
        assert 999_999 * 1_000_000 // 2 == sum(number for (number,) in rows) + first[0]
        store.write("migrations", {"number": [99], "name": ["later"]})
        assert [(99,)] == Asker(home / SOCKET).ask("SELECT max(number) FROM migrations")[1]


@pytest.mark.parametrize(
    "sql", ["KILL QUERY WHERE 1", "/* x */ kill query where 1", "USE system", "SET max_threads = 1"]
)
def test_a_question_changes_nothing_at_the_holder(home: Path, sql: str) -> None:
    """The holder refuses queries that kill other queries or change its session."""
    with held(home), pytest.raises(StoreError, match="only questions are allowed"):
        Asker(home / SOCKET).ask(sql)


def test_rubbish_does_no_harm(home: Path) -> None:
    """Noise, half a question or a hang-up leaves the holder answering."""
    with held(home):
        for noise in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x82\xa3sql", os.urandom(1 << 18)):
            for hang_up in (True, False):
                with socket.socket(socket.AF_UNIX) as connection:
                    folder = os.open(home, os.O_RDONLY)
                    connection.connect(f"/proc/self/fd/{folder}/{SOCKET}")
                    os.close(folder)
                    connection.sendall(noise)
                    if not hang_up:
                        connection.shutdown(socket.SHUT_WR)
                        assert connection.makefile("rb").read()
        assert (("1",), [(1,)]) == Asker(home / SOCKET).ask("SELECT 1")


def test_only_the_owner_may_ask(home: Path) -> None:
    """Only the owner may use the socket, and it is removed when the holder leaves."""
    with held(home):
        assert 0o600 == stat.S_IMODE((home / SOCKET).stat().st_mode)
    assert not (home / SOCKET).exists()


def test_a_question_whose_asker_has_gone_is_cancelled(home: Path) -> None:
    """An endless query ends with the process that asked it."""
    with held(home) as store:
        process = started("sql", f"{ENDLESS} -- of whom", "--home", home)
        until(lambda: store.rows(RUNNING) == [(1,)])
        process.kill()
        process.communicate()
        until(lambda: store.rows(RUNNING) == [(0,)])


def test_who_asked_a_holder_that_leaves_asks_the_home(home: Path) -> None:
    """A holder leaves without waiting for askers, and they ask the home again."""
    with held(home) as store:
        sql = "SELECT sum(sleepEachRow(0.9)) AS n FROM numbers(3) -- of whom"
        process = started("sql", sql, "--home", home)
        until(lambda: store.rows(RUNNING) == [(1,)])
    time.sleep(1)
    # if the holder had waited, the process would have ended; asking again takes 2.7 seconds
    assert process.poll() is None
    assert ("n\n0\n", "") == process.communicate()


def test_a_question_waits_for_a_home_that_is_soon_free(home: Path) -> None:
    """Two questions wait for a holder that does not answer but leaves soon."""
    with HomeFolder(home, create=False):
        processes = [started("sql", "SELECT 1 AS one", "--home", home) for _ in range(2)]
        time.sleep(3)
        assert [None, None] == [process.poll() for process in processes]
    assert [("one\n1\n", "")] * 2 == [process.communicate() for process in processes]


def test_a_holder_that_is_stopped_is_not_waited_for_without_end(
    tmp_path: Path, small_log: Path, mainstem: Run
) -> None:
    """A question to a suspended replay fails after a time."""
    home = tmp_path / "home"
    process = replaying(small_log, home)
    process.send_signal(signal.SIGSTOP)
    try:
        done = mainstem("sets", "--home", home, timeout=40)
    finally:
        process.kill()
        process.communicate()
    assert 1 == done.returncode
    assert f"in use by process {process.pid}" in done.stderr


def test_a_store_by_url_leaves_the_home_alone(home: Path, tmp_path: Path, mainstem: Run) -> None:
    """With --store or MAINSTEM_STORE the commands ask that store, and need no home."""
    nowhere, url = tmp_path / "nowhere", f"chdb://{home / 'history'}"
    given = ("sql", "SELECT count() AS n FROM trusted", "--home", nowhere)
    by_option = mainstem(*given, "--store", url)
    by_variable = mainstem(*given, env={"MAINSTEM_STORE": url})
    assert ["n\n1\n"] * 2 == [by_option.stdout, by_variable.stdout]
    sample = "35e58da0-a9c8-20d0-81ca-9032c9e3fe09"
    for one in (["sets"], ["versions"], ["history", sample]):
        done = mainstem(*one, "--home", nowhere, "--store", "clickhouse://localhost:1")
        assert (1, "") == (done.returncode, done.stdout)
        assert "mainstem: cannot open the history clickhouse://localhost" in done.stderr
    assert not nowhere.exists()


def test_an_asker_says_what_the_store_says(home: Path) -> None:
    """An asker passes parameters and raises the error of the store."""
    with held(home) as store:
        asker = Asker(home / SOCKET)
        assert (("n",), [("x",)]) == asker.ask("SELECT {it:String} AS n", it="x")
        with pytest.raises(StoreError) as there:
            asker.ask("SELECT nothing")
        with pytest.raises(StoreError) as here:
            store.ask("SELECT nothing")
        assert str(here.value) == str(there.value)
    with pytest.raises(OSError, match="No such file"):
        asker.ask("SELECT 1")
