"""Bad input ends in a clear message or a row in `rejected`, not in a traceback or silent drop."""

import gzip
import json
from pathlib import Path

import pytest

from tests.conftest import Run, excerpt_lines

BAD = {
    "empty": (b"", "is empty"),
    "binary": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "is binary"),
    "truncated gzip": (gzip.compress(b"".join(excerpt_lines(50)))[:-400], "breaks off after line"),
    "no event": (b"hello\nworld\n", "nothing in"),
    "only items": (excerpt_lines(1)[0], "nothing in"),
    "classes that no setting names": (
        (
            b'{"type":"labelled","event_id":"a","user_id":"u",'
            b'"event_timestamp":1777888799000,"text":"cup","label":"odd"}\n'
            b'{"type":"labelled","event_id":"b","user_id":"u",'
            b'"event_timestamp":1777888799001,"text":"mug","label":"even"}\n'
        ),
        (
            "MAINSTEM_OBJECTIVES__CLASSES ('no,yes') does not name 'odd' (1), 'even' (1); "
            "set MAINSTEM_OBJECTIVES__CLASSES=even,odd"
        ),
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_log_that_is_none_gets_one_clear_line(name: str, tmp_path: Path, mainstem: Run) -> None:
    """An unreadable log is refused with exit code 1 and one line that names the next step."""
    content, message = BAD[name]
    path = tmp_path / "log"
    path.write_bytes(content)
    done = mainstem("replay", path, "--home", tmp_path / "home", "--json")
    assert (done.returncode, done.stdout) == (1, "")
    errors = [line for line in done.stderr.splitlines() if line.startswith("mainstem: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert "Traceback" not in done.stderr


def test_a_missing_log_and_a_missing_home_say_what_to_do(tmp_path: Path, mainstem: Run) -> None:
    """A missing log or home is named together with the next step."""
    log = mainstem("replay", tmp_path / "none.jsonl", "--home", tmp_path / "home")
    home = mainstem("sets", "--home", tmp_path / "nowhere")
    assert (1, 1) == (log.returncode, home.returncode)
    assert "check the path" in log.stderr
    assert "mainstem replay LOG" in home.stderr


def test_bad_lines_are_rejected_with_reason_and_the_rest_goes_on(
    tmp_path: Path, mainstem: Run
) -> None:
    """Malformed, incomplete and repeated lines are counted with reasons and change no sample."""
    lines = excerpt_lines(300)
    good, bad, home, other = (
        tmp_path / "good.jsonl",
        tmp_path / "bad.jsonl",
        tmp_path / "home",
        tmp_path / "other",
    )
    good.write_bytes(b"".join(lines))
    repeated = next(line for line in lines if b'"purchase"' in line)
    faults = [
        b"{not json\n",
        b"\xff\xfe\n",
        b"\n",
        b'{"type":"view","event_id":"e1","user_id":"bob"}\n',
        repeated,
    ]
    bad.write_bytes(
        b"".join(
            [*lines[:200], *faults, *lines[200:], b'{"type":"item","event_id":"i","item_id":"x"}\n']
        )
    )
    clean = json.loads(mainstem("replay", good, "--home", other, "--no-learn", "--json").stdout)
    found = json.loads(mainstem("replay", bad, "--home", home, "--no-learn", "--json").stdout)
    changed = {name: found["ledger"][name] - clean["ledger"][name] for name in clean["ledger"]}
    assert {name: count for name, count in changed.items() if count} == {
        "rejected": 5,
        "duplicate": 1,
    }
    assert clean["samples"] == found["samples"]
    rows = mainstem(
        "sql",
        "SELECT topic, reason, path, body FROM rejected ORDER BY topic, offset",
        "--home",
        home,
        "--json",
    )
    reasons = [json.loads(line) for line in rows.stdout.splitlines()]
    assert [row["topic"] for row in reasons] == ["events"] * 4 + ["items"]
    assert all(row["reason"] for row in reasons)
    assert "bob" not in rows.stdout
