"""Output is safe for terminals and programs: one line a row, no control codes, valid JSON."""

import io
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mainstem.cli.history import show_rows
from mainstem.embedded.home import SOCKET, HomeFolder
from mainstem.errors import StoreError
from mainstem.settings import Settings
from mainstem.store import Store
from mainstem.store.answering import Answerer, Asker
from tests.conftest import Run

STEERING = "tab\tline\nNUL\0ESC\x1b[31m\x9b2J\u202eBIDI\u2028[red]:smile:\\t"
ODD = st.lists(
    st.text(st.characters(exclude_categories=("Cs",)), min_size=1),
    min_size=1,
    max_size=30,
    unique=True,
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one item whose title has control codes and markup."""
    folder = tmp_path_factory.mktemp("clean") / "home"
    with HomeFolder(folder, create=True) as made:
        made.settle(Settings(), {})
        with Store(made.store_url) as store:
            write_items(store, [STEERING])
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty history."""
    with Store(f"chdb://{tmp_path / 'history'}") as opened:
        yield opened


def write_items(store: Store, titles: list[str]) -> None:
    """Write items with these titles as their ids too."""
    columns = [name for name, *_ in store.rows("DESCRIBE items")]
    empty: dict[str, Any] = {
        name: [""] * len(titles) for name in columns if name in ("category", "brand", "price_band")
    }
    store.write("items", empty | {"item_id": titles, "title": titles})


def printed(header: Any, rows: Any, *, as_json: bool) -> str:
    """Return what a command prints for rows."""
    with redirect_stdout(io.StringIO()) as out:
        show_rows(header, rows, as_json=as_json)
    return out.getvalue()


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ODD)
def test_a_row_is_a_line_whatever_is_in_it(store: Store, titles: list[str]) -> None:
    """Any text is one line of a table without control codes, and JSON gives it back."""
    store.execute("TRUNCATE TABLE items")
    write_items(store, titles)
    answer = store.ask("SELECT item_id, title FROM items ORDER BY item_id")
    lines = printed(*answer, as_json=False).splitlines()
    assert len(titles) + 1 == len(lines)
    assert all(1 == line.count("\t") for line in lines)
    letters = {letter for line in lines for letter in line} - {"\t"}
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in letters)
    rows = [json.loads(line) for line in printed(*answer, as_json=True).splitlines()]
    assert sorted(titles) == sorted(row["title"] for row in rows)
    assert sorted(titles) == sorted(row["item_id"] for row in rows)


def test_a_terminal_shows_markup_as_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Markup of the table library is printed as text, and control codes are escaped."""
    from mainstem.cli.tables import show

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    show(("[b]name[/b]",), [(STEERING,), ("[bold]:cup:",)])
    shown = capsys.readouterr().out
    assert all(part in shown for part in ("[b]name[/b]", "[red]:smile:", "[bold]:cup:"))
    assert "\x1b[31m" not in shown
    assert not set(shown) & set("\0\t\x9b\u202e\u2028")


def test_bytes_that_are_no_text_can_be_told_from_text(store: Store) -> None:
    """Bytes that are no text are escaped, so that they differ from a text of hex digits."""
    answer = store.ask("SELECT unhex('41ff') AS a, 'ff41' AS b, ['x', unhex('ff')] AS c")
    assert "A\\xff\tff41" in printed(*answer, as_json=False)
    expected = {"a": "A\\xff", "b": "ff41", "c": ["x", "\\xff"]}
    assert expected == json.loads(printed(*answer, as_json=True))


def test_numbers_that_json_has_no_word_for_are_null(store: Store) -> None:
    """NaN and infinity are null at any depth, and whole numbers keep all their digits."""
    answer = store.ask(
        "SELECT nan AS a, [inf, 1] AS b, map(toUInt8(1), nan) AS c, (1, -inf) AS d, "
        "toUInt64(18446744073709551615) AS e, "
        "toDecimal64('1.20', 2) AS f, toDate('2020-01-02') AS g"
    )
    expected = {
        "a": None,
        "b": [None, 1],
        "c": {"1": None},
        "d": [1, None],
        "e": 2**64 - 1,
        "f": "1.20",
        "g": "2020-01-02",
    }
    assert expected == json.loads(printed(*answer, as_json=True), parse_constant=pytest.fail)


def test_columns_of_one_name_are_not_lost_in_an_object(store: Store) -> None:
    """Two columns of the same name are refused as JSON, because an object would lose one."""
    answer = store.ask("SELECT number, number FROM numbers(1)")
    with pytest.raises(StoreError, match="a name of its own with AS"):
        printed(*answer, as_json=True)


def test_an_answer_without_rows_has_its_header(store: Store) -> None:
    """An answer without rows is its header, without an empty line."""
    answer = store.ask("SELECT item_id, title FROM items WHERE 0 -- none")
    assert "item_id\ttitle\n" == printed(*answer, as_json=False)


WRONG = (
    ("SELECT 1 FROM sampels", "there is no table 'sampels'; is it 'samples'?"),
    ("SELECT lable FROM samples_now", "there is no column 'lable'; is it 'label'?"),
    ("SELECT s.lable FROM samples_now AS s", "there is no column 's.lable'; is it 'label'?"),
    ("SELECT 1 FROM samples WHERE", "the question breaks off"),
    ("SELECT 'a", "' is opened and not closed"),
    ("SELECT 1 SETTINGS max_threads = 1", "leave SETTINGS out"),
    ("SELECT conut()", "Function with name `conut` does not exist"),
)


def test_a_wrong_question_is_told_by_what_was_asked(store: Store) -> None:
    """The error for a wrong query has neither the engine's codes nor the driver's additions."""
    for sql, told in WRONG:
        with pytest.raises(StoreError) as caught:
            store.ask(sql)
        said = str(caught.value)
        assert told in said
        assert not any(word in said for word in ("DB::", "readonly", "Native", "(line"))


def test_a_holder_answers_as_the_history_does(store: Store, tmp_path: Path) -> None:
    """The holder of a home in use gives the same output and the same errors."""
    sql = (
        "SELECT unhex('ff') AS a, nan AS b, 'x\t\x1b' AS c, map((1, 'k'), [nan]) AS d, "
        "(1, NULL) AS e"
    )
    with Answerer(tmp_path / SOCKET, partial(Store, store.url)):
        asker = Asker(tmp_path / SOCKET)
        for as_json in (False, True):
            expected = printed(*store.ask(sql), as_json=as_json)
            assert expected == printed(*asker.ask(sql), as_json=as_json)
        with pytest.raises(StoreError, match="is it 'samples'"):
            asker.ask("SELECT 1 FROM sampels")


def test_the_command_prints_what_it_is_given_in_one_line(home: Path, mainstem: Run) -> None:
    """`sql` and error messages escape control codes, in an ASCII terminal too."""
    done = mainstem(
        "sql", "SELECT title FROM items", "--home", home, env={"PYTHONIOENCODING": "ascii"}
    )
    line = "tab\\tline\\nNUL\\0ESC\\x1b[31m\\x9b2J\\u202eBIDI\\u2028[red]:smile:\\\\t"
    assert (0, f"title\n{line}\n", "") == (done.returncode, done.stdout, done.stderr)
    missing = mainstem("validate", "no\nsuch\x1b[31mlog")
    assert (1, 1) == (missing.returncode, len(missing.stderr.splitlines()))
    assert "\x1b" not in missing.stderr


def test_a_reader_that_has_enough_ends_a_command_quietly(home: Path) -> None:
    """A command whose reader stops early, as with `| head -1`, ends without a message."""
    sql = ["sql", "SELECT number FROM numbers(200000)", "--home", str(home)]
    command = f"{shlex.join([sys.executable, '-m', 'mainstem.cli', *sql])} | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert ("number\n", "") == (done.stdout, done.stderr)
