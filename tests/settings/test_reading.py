"""Settings from `mainstem.toml` and the environment: precedence, and errors in one line."""

import re
from pathlib import Path

import pytest

from mainstem.errors import SettingError
from mainstem.settings import (
    GROUPS,
    Join,
    Learning,
    Objectives,
    Responses,
    Settings,
    known,
    variable,
)
from mainstem.settings.renamed import renamed
from mainstem.settings.writing import as_toml

LESS_USUAL = Settings.of(
    {
        "run.seed": 7,
        "join.grace": 90_500,
        "join.negatives": 0,
        "objectives.classes": 'a "b",c\\d,é\x7f\U0001f600\t#',
        "standing.spent_level": 1e-7,
        "learning.learning_rate": 1e30,
        "responses.response_layers": "bert.*",
    }
)


def read(folder: Path, text: str | bytes, **variables: str) -> Settings:
    """Read the settings of a folder with this file and of these variables."""
    (folder / "mainstem.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return Settings.read(variables, folder=folder)


def test_a_file_gives_settings_and_the_rest_are_defaults(tmp_path: Path) -> None:
    """Texts, numbers and durations are read by group; a byte order mark is ignored."""
    text = (
        '\ufeff[join]\ngrace = "5m"\nnegatives = 2\n[learning]\ngate_margin = 1\n'
        '[objectives]\nclasses = "b,a"\n'
    )
    expected = Settings(
        join=Join(grace=300_000, negatives=2),
        learning=Learning(gate_margin=1.0),
        objectives=Objectives(classes="b,a"),
    )
    assert expected == read(tmp_path, text)
    assert Settings() == read(tmp_path, "")


def test_a_variable_wins_over_the_file_and_what_is_given_over_both(tmp_path: Path) -> None:
    """A given value overrides the variable, and the variable the file, setting by setting."""
    file = tmp_path / "other.toml"
    file.write_text('[join]\ngrace = "1m"\nnegatives = 2\nhistory_length = 3\n')
    environment = {
        "MAINSTEM_SETTINGS": str(file),
        "MAINSTEM_JOIN__NEGATIVES": "4",
        "MAINSTEM_JOIN__HISTORY_LENGTH": "6",
    }
    found = Settings.read(
        environment, {"join.history_length": 8, "run.seed": None}, folder=tmp_path / "empty"
    )
    assert Settings(join=Join(grace=60_000, negatives=4, history_length=8)) == found


def test_bounds_between_groups_hold_for_all_places_together(tmp_path: Path) -> None:
    """Bounds between settings are checked after file and environment are combined."""
    text = '[responses]\nhorizon = "2d"\n'
    with pytest.raises(
        SettingError, match=r"responses.horizon must be at least join.revision_window"
    ):
        read(tmp_path, text)
    found = read(tmp_path, text, MAINSTEM_JOIN__REVISION_WINDOW="1d")
    assert (
        Settings(responses=Responses(horizon=172_800_000), join=Join(revision_window=86_400_000))
        == found
    )


def test_the_file_that_is_read_is_told(tmp_path: Path) -> None:
    """The file that is read is reported, and nothing is reported without one."""
    said: list[str] = []
    Settings.read({}, folder=tmp_path, say=said.append)
    (tmp_path / "mainstem.toml").touch()
    Settings.read({}, folder=tmp_path, say=said.append)
    assert [f"settings are read from '{tmp_path / 'mainstem.toml'}'"] == said


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[joins]\ngrace = '5m'",
            (
                r"\[joins\] is no group of settings; did you mean \[join\]\? "
                r"there are \[run\], \[join\],"
            ),
        ),
        (
            "[join]\ngrase = '5m'",
            r"join.grase is no setting; did you mean join.grace\? `mainstem settings` lists them",
        ),
        ("[join]\ndraw = 5", r"join.draw is no setting; did you mean learning.draw\?"),
        ("[join]\nqqqqqq = 5", r"join.qqqqqq is no setting; `mainstem settings` lists them"),
        ("grace = '5m'", r"grace is called join.grace now; rename it"),
        ("join = 5", r"join is a group: put its settings below a line \[join\]; got 5"),
        (
            "[join]\ngrace = 300",
            r"join.grace should be a duration in quotation marks, like \"90s\" or \"30d\"; got 300",
        ),
        ("[join]\ngrace = '300'", r"join.grace: a duration is a number and one of .*; got '300'"),
        ("[join]\nnegatives = 1.5", r"join.negatives should be a whole number; got 1.5"),
        ("[join]\nnegatives = true", r"join.negatives should be a whole number; got True"),
        ("[join]\nnegatives = '1'", r"join.negatives should be a whole number; got '1'"),
        ("[join]\nnegatives = -1", r"join.negatives must be from 0 to 100; got -1"),
        ("[learning]\nwarm_up = '1'", r"learning.warm_up should be a number; got '1'"),
        ("[learning]\nwarm_up = nan", r"learning.warm_up must be from 0 to 1; got nan"),
        (
            "[objectives]\nclasses = ['a', 'b']",
            r"objectives.classes should be a text; got \['a', 'b'\]",
        ),
        ("[model]\ndevice = 'tpu'", r"model.device is one of auto, cpu, cuda; got 'tpu'"),
        (
            "[join]\ngrace = 5 m\nnegatives = 2",
            r"is no TOML: .*\(at line 2, column 11\); `mainstem settings --write`",
        ),
        ("[join\n", r"is no TOML: .*\(at line 1, column 6\)"),
        (b"[join]\n# \xff", r"is no TOML: 'utf-8' codec"),
    ],
)
def test_what_is_wrong_in_a_file_is_one_line_that_names_it(
    tmp_path: Path, text: str | bytes, told: str
) -> None:
    """An unknown name, a wrong value or bad TOML is an error in one line with the file."""
    with pytest.raises(SettingError, match=told) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"'{tmp_path / 'mainstem.toml'}'")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    """A wrong `MAINSTEM_SETTINGS` is an error."""
    with pytest.raises(
        SettingError,
        match=r"^cannot read '.*nothing.toml': No such file.*; correct MAINSTEM_SETTINGS",
    ):
        Settings.read({"MAINSTEM_SETTINGS": "nothing.toml"}, folder=tmp_path)


@pytest.mark.parametrize("settings", [Settings(), LESS_USUAL], ids=["defaults", "others"])
def test_what_is_written_is_read_as_the_same_settings(tmp_path: Path, settings: Settings) -> None:
    """Settings survive being written to a file, whatever their texts hold."""
    assert settings == read(tmp_path, as_toml(settings))


def test_what_is_written_without_its_comment_signs_is_read_as_the_same_settings(
    tmp_path: Path,
) -> None:
    """Every default in a written file can be uncommented and read again."""
    names = "|".join(name.partition(".")[2] for name in known())
    text = re.sub(rf"^# ((?:{names}) = )", r"\1", as_toml(Settings()), flags=re.MULTILINE)
    assert len(known()) == len(re.findall(rf"^(?:{names}) = ", text, re.MULTILINE))
    assert Settings() == read(tmp_path, text)


def test_a_file_says_what_each_setting_means() -> None:
    """A written file has each group and the meaning of each setting."""
    text = as_toml(Settings())
    assert [] == [group for group in GROUPS if f"[{group}]" not in text]
    assert [] == [
        name for name, field in known().items() if f"# {field.means.meaning}\n" not in text
    ]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("MAINSTEM_GRACE", "MAINSTEM_GRACE is called MAINSTEM_JOIN__GRACE now; rename it"),
        ("MAINSTEM_MODEL", "MAINSTEM_MODEL is called MAINSTEM_MODEL__MODEL now; rename it"),
        (
            "MAINSTEM_GRASE",
            (
                "MAINSTEM_GRASE is no setting; did you mean MAINSTEM_JOIN__GRACE? "
                "`mainstem settings` lists them"
            ),
        ),
        (
            "MAINSTEM_JOIN__DRAW",
            "MAINSTEM_JOIN__DRAW is no setting; did you mean MAINSTEM_LEARNING__DRAW?",
        ),
        ("MAINSTEM_EPOCH", "MAINSTEM_EPOCH is no setting; did you mean MAINSTEM_LEARNING__EPOCHS?"),
        ("MAINSTEM_TRUSTED", "MAINSTEM_TRUSTED is no setting; `mainstem settings` lists them"),
        (
            "MAINSTEM_JOIN_GRACE",
            "MAINSTEM_JOIN_GRACE is no setting; did you mean MAINSTEM_JOIN__GRACE?",
        ),
    ],
)
def test_a_variable_with_an_old_or_a_wrong_name_is_told_the_right_one(name: str, told: str) -> None:
    """The error for an old, misspelt or misplaced name has the right name."""
    with pytest.raises(SettingError, match=f"^{re.escape(told)}"):
        Settings.from_environment({name: "5m"})


def test_every_old_name_has_a_new_one_that_is_a_setting() -> None:
    """Old names that are renamed become names of settings."""
    olds = {name.partition(".")[2]: name for name in known()}
    found = renamed(dict.fromkeys(olds))
    assert set() == set(found) - set(known()) - {
        old for old in olds if renamed({old: 0}) == {old: 0}
    }
    assert "join.grace" in found


@pytest.mark.parametrize("name", known())
def test_every_setting_has_a_group_bounds_a_meaning_and_an_effect(name: str) -> None:
    """Every setting has a group, bounds or choices, a meaning of one sentence, and an effect."""
    field = known()[name]
    assert name.partition(".")[0] in GROUPS
    assert field.means.affects in {"join", "results", "nothing"}
    assert field.means.choices or field.means.form or field.means.low is not None
    assert (field.kind in {str, bool}) == (field.means.low is None)
    assert re.fullmatch(r"[A-Z][^\n]{20,}[^.]\.", field.means.meaning)
    assert [name] == [found for found in known() if variable(found) == variable(name)]


def test_a_switch_is_true_or_false(tmp_path: Path) -> None:
    """A switch is read from a file and from the environment, and nothing else is taken for it."""
    assert not read(tmp_path, "[model]\nbehaviour = false").model.behaviour
    for text, expected in (("false", False), ("True", True)):
        found = Settings.from_environment({"MAINSTEM_MODEL__EXAMINATION": text})
        assert expected is found.model.examination
    with pytest.raises(SettingError, match="MAINSTEM_MODEL__EXAMINATION should be true or false"):
        Settings.from_environment({"MAINSTEM_MODEL__EXAMINATION": "0"})
    with pytest.raises(SettingError, match=r"model\.behaviour should be true or false; got 1"):
        read(tmp_path, "[model]\nbehaviour = 1")


def test_settings_have_the_groups_that_are_listed() -> None:
    """The fields of the settings are the listed groups, in their order."""
    assert list(GROUPS) == list(Settings.__struct_fields__)
    assert all(type(getattr(Settings(), name)) is kind for name, kind in GROUPS.items())
