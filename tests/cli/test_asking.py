"""What the command line advises when there is nothing to ask."""

import shlex
from pathlib import Path

import pytest

from mainstem.asking import answers
from mainstem.errors import HomeError


def test_advice_about_a_home_without_history_can_be_pasted(tmp_path: Path) -> None:
    """The command that is advised names the home as a shell reads it, whatever its name is."""
    home = tmp_path / "a b; $(touch x)"
    home.mkdir()
    (home / "settings.json").write_text("{}")
    with pytest.raises(HomeError) as refused:
        answers(home, None, ["SELECT 1"])
    advised = str(refused.value).split("`")[1]
    assert shlex.split(advised) == ["mainstem", "replay", "LOG", "--home", str(home)]
