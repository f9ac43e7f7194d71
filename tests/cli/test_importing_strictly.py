"""Every importer reports what it left out, and accepts no value as an id that is none."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from mainstem.cli.importing import importer
from mainstem.errors import ImportSourceError

MAP = (
    'time = "at"\nuser = "who"\nkind.always = "view"\n'
    'item = { id = "sku", title = "name", price = "price" }\n'
)
OWN = {"at": "2026-05-04 10:00", "who": "u1", "sku": "A1", "name": "Mug", "price": "9.50"}
RETAIL = {
    "InvoiceNo": "536365",
    "StockCode": "85123A",
    "Description": "HOLDER",
    "Quantity": "6",
    "InvoiceDate": "2010-12-01 08:26:00",
    "UnitPrice": "2.55",
    "CustomerID": "17850",
}
REES = {
    "event_time": "2019-10-01 00:00:00 UTC",
    "event_type": "view",
    "product_id": "1",
    "category_code": "a.b",
    "brand": "c",
    "price": "5",
    "user_id": "1",
    "user_session": "s",
}
TAOBAO = {"user_id": "1", "item_id": "1", "category_id": "1", "behavior": "pv", "ts": "1511658000"}
BANDIT = {
    "timestamp": "2019-11-24 00:03:13+00:00",
    "item_id": "1",
    "position": "1",
    "click": "0",
    **{f"user_feature_{n}": "abcdefgh" for n in range(4)},
}
DEPOT = {"id": "1", "product_uid": "1", "search_term": "q", "product_title": "t", "relevance": "3"}
TEXTS = {"body": "red mug", "topic": "a", "who": "u1"}
IMPORTERS: dict[str, tuple[dict[str, str], str, list[str]]] = {
    "table": (OWN, "who", ["--map", "MAP"]),
    "labelled": (TEXTS, "who", ["--text", "body", "--label", "topic", "--user", "who"]),
    "online-retail": (RETAIL, "CustomerID", []),
    "rees46": (REES, "user_id", []),
    "taobao": (TAOBAO, "user_id", []),
    "open-bandit": (BANDIT, "item_id", []),
    "home-depot": (DEPOT, "id", []),
}
"""For each importer: a row, the column of an id in it, and options."""


def run(
    folder: Path, name: str, rows: list[dict[str, Any]], *more: str, encoding: str = "utf-8"
) -> tuple[Result, str]:
    """Import rows, and return the result and the log, empty if there is none."""
    with (folder / "source.csv").open("w", newline="", encoding=encoding) as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return run_file(folder, name, *more)


def run_file(folder: Path, name: str, *more: str) -> tuple[Result, str]:
    """Import `source.csv` of the folder."""
    (folder / "map.toml").write_text(MAP)
    (folder / "log").unlink(missing_ok=True)
    options = [
        str(folder / "map.toml") if option == "MAP" else option for option in IMPORTERS[name][2]
    ]
    done = CliRunner().invoke(
        importer, [name, str(folder / "source.csv"), "-o", str(folder / "log"), *options, *more]
    )
    log = (folder / "log").read_text() if (folder / "log").exists() else ""
    assert done.exception is None or isinstance(done.exception, ImportSourceError | SystemExit), (
        done.exception
    )
    return done, log


def ids(log: str) -> set[str]:
    """Return all ids of users and items in a log."""
    events = [json.loads(line) for line in log.splitlines()]
    return {event[name] for event in events for name in ("user_id", "item_id") if name in event}


@pytest.mark.parametrize("name", IMPORTERS)
@pytest.mark.parametrize("cell", ["1.23457E+11", "NULL", "(not set)", r"\N", "b'M-1'", "{'id': 5}"])
def test_what_is_no_id_is_left_out_and_counted(name: str, cell: str, tmp_path: Path) -> None:
    """A cell that is no id is reported and is in no id, and other rows are imported."""
    row, column, _ = IMPORTERS[name]
    more = {"body": "other"} if name == "labelled" else {}
    done, log = run(tmp_path, name, [row, {**row, column: cell, **more}])
    if name == "labelled" and cell in {"NULL", "(not set)", r"\N"}:
        # a text without a user is still imported
        assert f"1 cells of 'who' say {cell!r}" in done.stderr
    else:
        assert "left out 1 row: " in done.stderr
    assert log
    assert cell not in ids(log)


@pytest.mark.parametrize("name", IMPORTERS)
def test_an_id_is_one_whether_it_was_saved_as_a_decimal(name: str, tmp_path: Path) -> None:
    """`22423.00` and `22423` are the same id in every importer."""
    row, column, _ = IMPORTERS[name]
    _, first = run(tmp_path, name, [{**row, column: "22423"}])
    _, second = run(tmp_path, name, [{**row, column: "22423.00"}])
    if name == "open-bandit":
        assert ids(first) == ids(second)
    assert first == second


@pytest.mark.parametrize("name", IMPORTERS)
def test_nothing_of_value_is_a_failure(name: str, tmp_path: Path) -> None:
    """An import without any event has exit code 1 and writes no log."""
    row, column, _ = IMPORTERS[name]
    done, log = run(tmp_path, name, [{**row, column: "1.23457E+11"}])
    assert (1, "") == (done.exit_code, log)
    (tmp_path / "source.csv").write_text(",".join(row) + "\n")
    done, log = run_file(tmp_path, name)
    assert (1, "") == (done.exit_code, log)
    assert "it has none" in str(done.exception)


@pytest.mark.parametrize("name", IMPORTERS)
def test_an_encoding_can_be_named(name: str, tmp_path: Path) -> None:
    """Every importer has option `--encoding`, and refuses to guess an encoding."""
    row, column, _ = IMPORTERS[name]
    rows = [{**row, column: "Красная"}]
    done, log = run(tmp_path, name, rows, encoding="cp1251")
    assert (1, "") == (done.exit_code, log)
    assert "give --encoding" in str(done.exception)
    done, log = run(tmp_path, name, rows, "--encoding", "windows-1251", encoding="cp1251")
    assert (0, True) == (done.exit_code if name != "labelled" else 0, "Красная" in log)


@pytest.mark.parametrize("name", IMPORTERS)
def test_a_short_row_is_told_in_every_importer(name: str, tmp_path: Path) -> None:
    """Every importer reports a short row by its number."""
    row, _, _ = IMPORTERS[name]
    cells = ",".join(row.values())
    (tmp_path / "source.csv").write_text(f"{','.join(row)}\n{cells}\n{cells.rpartition(',')[0]}\n")
    done, log = run_file(tmp_path, name)
    assert (1, "") == (done.exit_code, log)
    assert "row 2 of " in str(done.exception)
    assert ", fewer than the header's" in str(done.exception)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(number=st.integers(0, 2**53 - 1), data=st.data())
@pytest.mark.parametrize("name", IMPORTERS)
def test_numbers_as_ids_keep_their_digits(
    name: str, number: int, data: st.DataObject, tmp_path: Path
) -> None:
    """No importer writes a number as an id with an exponent or with other digits."""
    digits = str(number)
    forms = [digits, f"{digits}.0", f"{digits}.00", f"00{digits}"]
    if len(digits) < 16:
        forms.append(f"{digits[0]}.{digits[1:] or '0'}E+{len(digits) - 1}")
    row, column, _ = IMPORTERS[name]
    form = data.draw(st.sampled_from(forms))
    _, log = run(tmp_path, name, [{**row, column: form}])
    wanted = form if form.startswith("00") else digits
    written = ids(log) | {event.removeprefix("home-depot-") for event in ids(log)}
    assert wanted in written


def test_times_of_1970_and_of_far_ahead_are_told(tmp_path: Path) -> None:
    """Times in 1970 or far ahead, which hint at a wrong unit, are reported."""
    done, _ = run(tmp_path, "table", [{**OWN, "at": "1970-01-21"}, {**OWN, "at": "2099-01-01"}])
    told = "2 events lie in 1970; is the time's form right, and its unit (s, ms, us, ns)?"
    assert told in done.stderr
    assert "1 events lie more than two years ahead" in done.stderr


def test_a_bad_row_and_an_encoding_are_told(tmp_path: Path) -> None:
    """The first rows that are left out for a reason are reported."""
    lines = [
        ",".join(row.values())
        for row in (OWN, {**OWN, "name": "Schlüssel"}, {**OWN, "name": "Tee ☕"})
    ]
    encoded = [
        line.encode("latin-1" if "Schl" in line else "utf-8") for line in (",".join(OWN), *lines)
    ]
    (tmp_path / "source.csv").write_bytes(b"\n".join(encoded))
    done, log = run_file(tmp_path, "table")
    assert "left out 1 row: not in the encoding of the file" in done.stderr
    assert "(line 3): b'2026-05-04 10:00,u1,A1,Schl\\xfcssel,9.50'" in done.stderr
    assert "Tee ☕" in log


def test_letters_in_parts_and_letters_unseen_are_told(tmp_path: Path) -> None:
    """Labels that look the same are the same label, which is reported."""
    names = ["caf\u00e9", "cafe\u0301", "caf\u00e9\u200b"]
    topics = enumerate([*names, "b"])
    rows = [{"body": f"text {number}", "topic": topic, "who": "u"} for number, topic in topics]
    done, log = run(tmp_path, "labelled", rows)
    assert "MAINSTEM_OBJECTIVES__CLASSES=b,café" in done.stdout.replace("'", "")
    assert "1 cells of 'topic' write letters in parts (NFD)" in done.stderr
    assert "1 cells of 'topic' hold invisible characters" in done.stderr
    assert 3 == log.count('"label":"café"')


def test_items_alone_are_no_log_of_purchases(tmp_path: Path) -> None:
    """An import whose only events are items fails."""
    done, log = run(tmp_path, "online-retail", [{**RETAIL, "CustomerID": "NULL"}])
    assert (1, "") == (done.exit_code, log)
    assert "left out 1 row: no customer (it says 'NULL')" in done.stderr
    assert "became an event other than an item" in str(done.exception)


def test_online_retail_ii_has_other_names(tmp_path: Path) -> None:
    """Online Retail II has other column names and other dates, which are read too."""
    names = {"InvoiceNo": "Invoice", "UnitPrice": "Price", "CustomerID": "Customer ID"}
    rows = [
        {names.get(name, name): cell for name, cell in {**RETAIL, "InvoiceDate": when}.items()}
        for when in ("01/12/2009 07:45", "13/12/2009 07:45")
    ]
    done, log = run(tmp_path, "online-retail", rows)
    assert [1259653500001, 1259653500001, 1260690300002] == [
        json.loads(line)["event_timestamp"] for line in log.splitlines()
    ]
    assert "dates are read day-first" in done.stderr
    done, log = run(tmp_path, "online-retail", rows[:1])
    assert 1 == done.exit_code
    assert str(done.exception).endswith("give --dates day-first or --dates month-first")
    _, log = run(tmp_path, "online-retail", rows[:1], "--dates", "month-first")
    assert 1231746300001 == json.loads(log.splitlines()[0])["event_timestamp"]
