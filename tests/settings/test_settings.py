"""Settings: one frozen object, defaults that hold, an environment that is read strictly."""

from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from mainstem.errors import MainstemError, SettingError
from mainstem.settings import PREFIX, Settings, parse_duration

SETTINGS = {setting.name: setting for setting in fields(Settings)}
BOUNDED = [
    (name, bound, setting.metadata[bound])
    for name, setting in SETTINGS.items()
    for bound in ("low", "high")
    if setting.metadata[bound] is not None and not name.endswith("_share")
]


def text_of(value: Any, *, duration: bool) -> str:
    return f"{value}ms" if duration else str(value)


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_says_what_it_means(name: str) -> None:
    """Each setting has one line of help."""
    help_ = SETTINGS[name].metadata["help"]
    assert help_
    assert "\n" not in help_


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_read_from_its_variable(name: str) -> None:
    """A default that is written into `MAINSTEM_NAME` comes back as itself, of the same type."""
    default, duration = SETTINGS[name].default, SETTINGS[name].metadata.get("duration", False)
    found = getattr(Settings.from_environment({PREFIX + name.upper(): text_of(default, duration=duration)}), name)
    assert (default, type(default)) == (found, type(found))


LEAVES_ROOM = {"dedupe_horizon": {"grace": 0}, "horizon": {"label_window": 0, "revision_window": 0}}
"""What a setting that must reach as far as others needs, to be as low as it can be."""


@pytest.mark.parametrize(("name", "bound", "value"), BOUNDED)
def test_a_bound_holds_and_beyond_it_is_an_error(name: str, bound: str, value: float) -> None:
    """A value at its bound is taken; one beyond it is refused with the name, the bound and the value."""
    assert value == getattr(Settings(**{name: value}, **LEAVES_ROOM.get(name, {})), name)
    beyond = value - 1 if bound == "low" else value + 1
    with pytest.raises(SettingError, match=rf"^{name} must be (at least|from) .*; got {beyond!r}$"):
        Settings(**{name: beyond})


@pytest.mark.parametrize("name", [name for name in SETTINGS if name.endswith("_share")])
def test_a_share_is_between_0_and_1(name: str) -> None:
    """Every share is refused below 0 and above 1."""
    for beyond in (-0.1, 1.1):
        with pytest.raises(SettingError, match=rf"^{name} must be from 0 to 1; got {beyond}$"):
            Settings(**{name: beyond})


@pytest.mark.parametrize("name", [name for name in SETTINGS if "choices" in SETTINGS[name].metadata])
def test_a_choice_is_one_of_those_offered(name: str) -> None:
    """Each choice is taken, and another one is refused with the list of them."""
    choices = SETTINGS[name].metadata["choices"]
    assert [*choices] == [getattr(Settings(**{name: choice}), name) for choice in choices]
    with pytest.raises(SettingError, match=f"^{name} is one of {', '.join(choices)}; got 'none'$"):
        Settings(**{name: "none"})


def test_slices_of_the_stream_do_not_overlap() -> None:
    """Direction, canaries and gate are parts of one stream and cannot exceed it together."""
    with pytest.raises(SettingError, match="their sum must not exceed 1"):
        Settings(direction_share=0.5, canary_share=0.4, gate_share=0.2)


def test_copies_are_known_for_as_long_as_events_may_wait() -> None:
    """An event id cannot be forgotten while its first copy waits for the watermark."""
    with pytest.raises(SettingError, match="dedupe_horizon must be at least grace"):
        Settings(dedupe_horizon=5, grace=6)


def test_samples_stay_for_as_long_as_they_can_be_revised() -> None:
    """A sample cannot leave the columns while an outcome may still change its label."""
    with pytest.raises(SettingError, match="horizon must be at least revision_window"):
        Settings(horizon=9, revision_window=6, label_window=4)


def test_settings_are_frozen() -> None:
    """What was read once is not changed after."""
    with pytest.raises(FrozenInstanceError):
        Settings().seed = 1


def test_what_is_given_goes_before_the_environment_and_that_before_the_default() -> None:
    """A given value wins, even 0; None counts as not given, and the rest are defaults."""
    environment = {"MAINSTEM_SEED": "3", "MAINSTEM_GRACE": "5m", "MAINSTEM_NEGATIVES": "2"}
    found = Settings.from_environment(environment, seed=4, grace=None, negatives=0)
    assert Settings(seed=4, grace=300_000, negatives=0) == found


def test_an_unknown_variable_is_an_error() -> None:
    """A misspelt setting is not ignored."""
    with pytest.raises(SettingError, match=r"^MAINSTEM_GRACES is no setting; `mainstem settings` lists them$"):
        Settings.from_environment({"MAINSTEM_GRACES": "5m"})


def test_other_variables_are_none_of_its_business() -> None:
    """Variables of other programs, and those that say where things are, set nothing."""
    others = {"PATH": "/bin", "MAINSTEM_HOME": "/tmp/home", "MAINSTEM_PSEUDONYM_KEY": "secret", "mainstem_seed": "3"}
    assert Settings() == Settings.from_environment(others)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("MAINSTEM_SEED", "three", "MAINSTEM_SEED should be of type int; got 'three'"),
        ("MAINSTEM_SEED", "1.5", "MAINSTEM_SEED should be of type int; got '1.5'"),
        ("MAINSTEM_DOUBT", "", "MAINSTEM_DOUBT should be of type float; got ''"),
        ("MAINSTEM_GRACE", "600", "a duration is a number and one of"),
    ],
)
def test_a_value_that_cannot_be_read_is_an_error(name: str, text: str, message: str) -> None:
    """Text that is no value of its setting is refused, with what it should be and what it is."""
    with pytest.raises(SettingError, match=message) as caught:
        Settings.from_environment({name: text})
    assert repr(text) in str(caught.value)
    assert isinstance(caught.value, MainstemError)


@pytest.mark.parametrize(
    ("text", "millis"),
    [("0s", 0), ("250ms", 250), ("90s", 90_000), ("10m", 600_000), ("1.5h", 5_400_000), (" 30 d ", 2_592_000_000)],
)
def test_durations_are_read_in_their_units(text: str, millis: int) -> None:
    """A duration is a number and a unit, from milliseconds to days."""
    assert millis == parse_duration(text)


@pytest.mark.parametrize("text", ["", "10", "m", "-5m", "1h30m", "5 weeks", "1e3s", "nan s"])
def test_what_is_no_duration_is_an_error(text: str) -> None:
    """Without a unit, with a sign or in two parts it is refused, with examples."""
    with pytest.raises(SettingError, match="like '90s' or '30d'"):
        parse_duration(text)


@pytest.mark.parametrize("floats", [1, 2, 31, 33, 65])
def test_a_sketch_is_none_or_of_an_even_number_from_32(floats: int) -> None:
    """Fewer floats would say nothing, and an odd number has no transform; 0 is none."""
    assert [0, 32, 1024] == [Settings(sketch=one).sketch for one in (0, 32, 1024)]
    with pytest.raises(SettingError, match=f"^sketch is 0 or an even number from 32 to 1024; got {floats}$"):
        Settings(sketch=floats)


@pytest.mark.parametrize("text", ["", " ", "head,,", "head, "])
def test_layers_have_names(text: str) -> None:
    """A pattern that is empty is an error, for it would fit nothing."""
    assert ("head", "bert.*") == Settings(response_layers=" head ,bert.*").layer_patterns
    with pytest.raises(SettingError, match=r"^response_layers are names or patterns with commas between"):
        Settings(response_layers=text)


@pytest.mark.parametrize("name", [one.name for one in fields(Settings) if isinstance(one.default, float)])
@pytest.mark.parametrize("value", ["inf", "nan", "-inf"])
def test_no_number_is_infinite(name: str, value: str) -> None:
    """A setting that is a number is a finite one: a rate of infinity would teach nothing, and only say so in the end."""
    with pytest.raises(SettingError, match=f"^{name} must be .*; got {float(value)!r}$"):
        Settings.from_environment({f"MAINSTEM_{name.upper()}": value})
