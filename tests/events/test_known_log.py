"""A log is recognised by its beginning in any form, and a next file can be appended to it."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstem.errors import HomeError
from mainstem.events import View, encode, read_lines
from mainstem.events.known_log import KnownLog, OpenedLog, Past, next_file, same_log

GRACE = 10_000


def line(number: int) -> bytes:
    """Make a view, one second after the previous one."""
    return encode(
        View(event_id=f"e{number}", event_timestamp=1000 * number, user_id="ann", item_id="cup")
    )


ONE, TWO = [line(number) for number in range(50)], [line(number) for number in range(50, 90)]


def read(lines: list[bytes], known: KnownLog | None = None) -> OpenedLog:
    """Read a whole log."""
    return same_log(lambda: iter(lines), "log", known)


def appended(lines: list[bytes], known: KnownLog, past: Past | None) -> OpenedLog:
    """Read the next file."""
    return next_file(lambda: iter(lines), "file", known, past, GRACE)


def both() -> OpenedLog:
    """Open a log of two files, the second appended with a checkpoint at line 40."""
    one = read(ONE)
    return appended(TWO, one.known, one.past(ONE[40:]))


@given(length=st.integers(1, 50), more=st.integers(0, 40))
def test_a_log_that_goes_on_is_known_again(length: int, more: int) -> None:
    """A log is recognised however many lines were read and however many were added since."""
    whole = ONE + TWO
    assert length + more == read(whole[: length + more], read(whole[:length]).known).end.lines


@given(length=st.integers(2, 50), place=st.integers(0, 49))
def test_a_line_that_is_another_is_found_wherever_it_is(length: int, place: int) -> None:
    """A log with a line changed, removed or moved is refused, and the message shows where."""
    place %= length
    known = read(ONE[:length]).known
    for lines in (
        [*ONE[:place], line(99), *ONE[place + 1 :]],
        [*ONE[:place], *ONE[place + 1 : length]],
        ONE[:length][::-1],
    ):
        with pytest.raises(
            HomeError, match=r"is not the log .* \(it (differs|has) .*; give another --home"
        ):
            read(lines, known)


def test_a_shorter_log_is_refused_with_both_lengths() -> None:
    """A log that has become shorter is refused with both lengths."""
    with pytest.raises(HomeError, match="it has 20 lines, but 50 were read"):
        read(ONE[:20], read(ONE).known)


@given(cut=st.integers(1, len(ONE[-1]) - 1))
def test_a_half_written_last_line_may_be_completed(cut: int) -> None:
    """A last line that was cut off may be completed, but may not become another line."""
    known = read([*ONE[:-1], ONE[-1][:cut]]).known
    assert 90 == read(ONE + TWO, known).end.lines
    with pytest.raises(HomeError, match="it differs in line 50"):
        read([*ONE[:-1], b"[" + ONE[-1]], known)


@pytest.mark.parametrize("form", ["gzip", "folder", "parquet", "spaced"])
def test_a_log_is_known_again_in_another_form(form: str, tmp_path: Path) -> None:
    """A log that is packed, split into files, converted or spaced differently is the same log."""
    path, content = tmp_path / "log", b"\n".join(ONE) + b"\n"
    if form == "gzip":
        path.write_bytes(gzip.compress(content))
    elif form == "folder":
        path.mkdir()
        (path / "a").write_bytes(b"\r\n".join(ONE[:20]))
        (path / "b").write_bytes(b"\n".join(ONE[20:]))
    elif form == "spaced":
        path.write_bytes(content.replace(b'":', b'" : '))
    else:
        pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        names = {"type": "view", "user_id": "ann", "item_id": "cup"}
        rows = [
            {**names, "event_id": f"e{number}", "event_timestamp": 1000 * number}
            for number in range(50)
        ]
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    opened = same_log(lambda: read_lines(path), str(path), read(ONE).known)
    assert (50, 90) == (opened.end.lines, read(ONE + TWO, opened.known).end.lines)


def test_the_next_file_joins_as_if_it_had_been_there() -> None:
    """Two files have the survey, the end and the lines of one whole log."""
    found, whole = both(), read(ONE + TWO)
    assert (whole.survey, whole.end) == (found.survey, found.end)
    assert [(ONE + TWO)[start:] for start in (40, 49, 50, 70)] == [
        list(found.lines(start)) for start in (40, 49, 50, 70)
    ]


def test_a_line_that_is_not_kept_is_not_made_up() -> None:
    """Lines of the first file before its checkpoint are an error."""
    with pytest.raises(HomeError, match="give the whole log"):
        both().lines(39)


@pytest.mark.parametrize(
    ("lines", "append"),
    [(TWO, True), ([*TWO, line(90)], True), (ONE + TWO, True), (ONE + TWO, False)],
)
def test_a_log_of_two_files_is_gone_on_with(lines: list[bytes], append: bool) -> None:
    """A log of two files goes on with its newest file, grown or not, or with the whole log."""
    found = both()
    again = appended(lines, found.known, found.past([])) if append else read(lines, found.known)
    total = 91 if lines[-1] == line(90) else 90
    assert (total, 2) == (again.end.lines, len(again.known.files))


def test_a_file_that_was_read_already_is_refused() -> None:
    """A file that was read before is refused, and the newest one without --append too."""
    found = both()
    with pytest.raises(HomeError, match="was read before, and other files since"):
        appended(ONE, found.known, found.past([]))
    with pytest.raises(HomeError, match="it has 50 lines, but 90 were read"):
        read(ONE, found.known)
    with pytest.raises(HomeError, match="--append goes on with it"):
        read(TWO, found.known)


def test_an_older_file_is_not_the_next_one() -> None:
    """A next file whose events are older than the last by more than the grace is refused."""
    one = read(TWO)
    with pytest.raises(HomeError, match="30 of its 40 events are older"):
        appended(
            [*ONE[:30], *[line(number) for number in range(100, 110)]], one.known, one.past([])
        )
    late = [line(84), line(95)]
    assert 42 == appended(late, one.known, one.past([])).end.lines


def test_a_log_that_did_not_come_to_its_end_is_replayed_first() -> None:
    """The next file is refused until the log has been replayed to its end."""
    one, grown = read(ONE), read([*ONE, line(50)])
    for past in (None, one.past([])):
        with pytest.raises(HomeError, match="was not replayed to its end"):
            appended(TWO[1:], grown.known, past)
