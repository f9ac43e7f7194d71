"""The report as a page, from the command line: where it goes, and what it is made of."""

from pathlib import Path

import pytest

import mainstem as library
from mainstem.cli.reporting import write_page
from mainstem.errors import SettingError
from tests.conftest import Run
from tests.strict_html import Page


def test_report_writes_the_page_that_python_returns(
    small_home: Path, tmp_path: Path, mainstem: Run
) -> None:
    """`report` writes the page of the home into a new folder, and says where it is."""
    output = tmp_path / "made" / "page.html"
    done = mainstem("report", "--home", small_home, "-o", output)
    assert (0, "") == (done.returncode, done.stdout)
    assert f"mainstem: the report is in {output}\n" == done.stderr
    assert library.open_home(small_home).report() == output.read_text()
    assert [output] == list(output.parent.iterdir())


def test_a_page_in_a_home_has_the_name_that_homes_know(small_home: Path, mainstem: Run) -> None:
    """Another name in a home is refused, and the home goes on with `report.html` in it."""
    for name in ("page.html", "history/report.html"):
        with pytest.raises(SettingError, match="which holds no other files; write the report to"):
            write_page(small_home, None, small_home / name)
    place = small_home / "report.html"
    done = mainstem("report", "--home", small_home, "-o", place)
    assert 0 == done.returncode, done.stderr
    assert library.open_home(small_home).report() == place.read_text()
    assert [] == Page(place.read_text()).faults


def test_what_cannot_be_written_or_asked_is_one_line(tmp_path: Path, mainstem: Run) -> None:
    """A home that is missing and a folder as output are errors of one line each."""
    missing = mainstem("report", "--home", tmp_path / "none", "-o", tmp_path / "page.html")
    assert 1 == missing.returncode
    assert "is no home of mainstem" in missing.stderr
    assert 1 == missing.stderr.count("\n")
    assert [] == list(tmp_path.iterdir())
