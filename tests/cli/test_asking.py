"""Advice of the command line where there is no history to ask."""

import shlex
from pathlib import Path

import pytest

from mainstem.asking import answers
from mainstem.errors import HomeError


def test_advice_about_a_home_without_history_can_be_pasted(tmp_path: Path) -> None:
    """The advised command quotes the home for a shell, whatever its name is."""
    home = tmp_path / "a b; $(touch x)"
    home.mkdir()
    (home / "settings.json").write_text("{}")
    with pytest.raises(HomeError) as refused:
        answers(home, None, ["SELECT 1"])
    advised = str(refused.value).split("`")[1]
    assert shlex.split(advised) == ["mainstem", "replay", "LOG", "--home", str(home)]
