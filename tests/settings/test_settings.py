"""Settings are frozen, their defaults are valid, and the environment is read strictly."""

from typing import Any

import pytest

from mainstem.errors import MainstemError, SettingError
from mainstem.settings import (
    Join,
    Responses,
    Run,
    Settings,
    Trusted,
    known,
    parse_duration,
    variable,
)

SETTINGS = known()
BOUNDED = [
    (name, bound, value)
    for name, setting in SETTINGS.items()
    for bound in ("low", "high")
    if (value := getattr(setting.means, bound)) is not None and not name.endswith("_share")
]


def text_of(value: Any, *, duration: bool) -> str:
    return f"{value}ms" if duration else str(value)


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_says_what_it_means(name: str) -> None:
    """Each setting has one line of help."""
    meaning = SETTINGS[name].means.meaning
    assert meaning
    assert "\n" not in meaning


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_read_from_its_variable(name: str) -> None:
    """A default written into `MAINSTEM_GROUP__NAME` is read back, with the same type."""
    default, duration = SETTINGS[name].default, SETTINGS[name].means.is_duration
    environment = {variable(name): text_of(default, duration=duration)}
    found = Settings.from_environment(environment).flat()[name]
    assert (default, type(default)) == (found, type(found))


LEAVES_ROOM = {
    "join.dedupe_horizon": {"join.grace": 0},
    "responses.horizon": {"join.label_window": 0, "join.revision_window": 0},
}
"""Other settings that must be low for a setting to be at its lower bound."""


@pytest.mark.parametrize(("name", "bound", "value"), BOUNDED)
def test_a_bound_holds_and_beyond_it_is_an_error(name: str, bound: str, value: float) -> None:
    """A value at its bound is accepted, and one beyond it is refused with name and value."""
    assert value == Settings.of({name: value, **LEAVES_ROOM.get(name, {})}).flat()[name]
    beyond = value - 1 if bound == "low" else value + 1
    with pytest.raises(SettingError, match=rf"^{name} must be (at least|from) .*; got {beyond!r}$"):
        Settings.of({name: beyond})


@pytest.mark.parametrize("name", [name for name in SETTINGS if name.endswith("_share")])
def test_a_share_is_between_0_and_1(name: str) -> None:
    """Every share is refused below 0 and above 1."""
    for beyond in (-0.1, 1.1):
        with pytest.raises(SettingError, match=rf"^{name} must be from 0 to 1; got {beyond}$"):
            Settings.of({name: beyond})


@pytest.mark.parametrize("name", [name for name in SETTINGS if SETTINGS[name].means.choices])
def test_a_choice_is_one_of_those_offered(name: str) -> None:
    """Each choice is accepted, and any other value is refused with the list."""
    choices = SETTINGS[name].means.choices
    assert [*choices] == [Settings.of({name: choice}).flat()[name] for choice in choices]
    with pytest.raises(
        SettingError, match=f"^{name} is one of {', '.join(choices)}; got 'neither'$"
    ):
        Settings.of({name: "neither"})


def test_slices_of_the_stream_do_not_overlap() -> None:
    """Direction, canaries and gate are parts of one stream and cannot exceed it together."""
    with pytest.raises(SettingError, match="their sum must not exceed 1"):
        Settings(trusted=Trusted(direction_share=0.5, canary_share=0.4, gate_share=0.2))


def test_copies_are_known_for_as_long_as_events_may_wait() -> None:
    """An event id cannot be forgotten while its first copy waits for the watermark."""
    with pytest.raises(SettingError, match=r"dedupe_horizon must be at least join.grace"):
        Settings(join=Join(dedupe_horizon=5, grace=6))


def test_samples_stay_for_as_long_as_they_can_be_revised() -> None:
    """A sample cannot leave the columns while an outcome may still change its label."""
    with pytest.raises(SettingError, match=r"horizon must be at least join.revision_window"):
        Settings(responses=Responses(horizon=9), join=Join(revision_window=6, label_window=4))


def test_settings_are_frozen() -> None:
    """Settings cannot be changed after they are read."""
    with pytest.raises(AttributeError, match="immutable"):
        Settings().run.seed = 1
    with pytest.raises(AttributeError, match="immutable"):
        Settings().run = Run()


def test_what_is_given_goes_before_the_environment_and_that_before_the_default() -> None:
    """A given value, even 0, overrides the environment, unless it is None."""
    environment = {
        "MAINSTEM_RUN__SEED": "3",
        "MAINSTEM_JOIN__GRACE": "5m",
        "MAINSTEM_JOIN__NEGATIVES": "2",
    }
    found = Settings.from_environment(
        environment, {"run.seed": 4, "join.grace": None, "join.negatives": 0}
    )
    assert Settings(run=Run(seed=4), join=Join(grace=300_000, negatives=0)) == found


def test_an_unknown_variable_is_an_error() -> None:
    """A misspelt setting is an error."""
    told = (
        r"^MAINSTEM_JOIN__GRACES is no setting; did you mean MAINSTEM_JOIN__GRACE\? "
        r"`mainstem settings` lists them$"
    )
    with pytest.raises(SettingError, match=told):
        Settings.from_environment({"MAINSTEM_JOIN__GRACES": "5m"})


def test_other_variables_are_none_of_its_business() -> None:
    """Variables of other programs, and those of addresses and keys, set nothing."""
    others = {
        "PATH": "/bin",
        "MAINSTEM_HOME": "/tmp/home",
        "MAINSTEM_PSEUDONYM_KEY": "secret",
        "mainstem_seed": "3",
    }
    assert Settings() == Settings.from_environment(others)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("MAINSTEM_RUN__SEED", "three", "MAINSTEM_RUN__SEED should be of type int; got 'three'"),
        ("MAINSTEM_RUN__SEED", "1.5", "MAINSTEM_RUN__SEED should be of type int; got '1.5'"),
        (
            "MAINSTEM_STANDING__DOUBT",
            "",
            "MAINSTEM_STANDING__DOUBT should be of type float; got ''",
        ),
        ("MAINSTEM_JOIN__GRACE", "600", "a duration is a number and one of"),
    ],
)
def test_a_value_that_cannot_be_read_is_an_error(name: str, text: str, message: str) -> None:
    """A text that is no value of its setting is refused with its type and the text."""
    with pytest.raises(SettingError, match=message) as caught:
        Settings.from_environment({name: text})
    assert repr(text) in str(caught.value)
    assert isinstance(caught.value, MainstemError)


@pytest.mark.parametrize(
    ("text", "millis"),
    [
        ("0s", 0),
        ("250ms", 250),
        ("90s", 90_000),
        ("10m", 600_000),
        ("1.5h", 5_400_000),
        (" 30 d ", 2_592_000_000),
    ],
)
def test_durations_are_read_in_their_units(text: str, millis: int) -> None:
    """A duration is a number and a unit, from milliseconds to days."""
    assert millis == parse_duration(text)


@pytest.mark.parametrize("text", ["", "10", "m", "-5m", "1h30m", "5 weeks", "1e3s", "nan s"])
def test_what_is_no_duration_is_an_error(text: str) -> None:
    """A duration without a unit, with a sign or in two parts is refused with examples."""
    with pytest.raises(SettingError, match="like '90s' or '30d'"):
        parse_duration(text)


@pytest.mark.parametrize("floats", [1, 2, 31, 33, 65])
def test_a_sketch_is_none_or_of_an_even_number_from_32(floats: int) -> None:
    """A sketch has an even number of floats from 32 to 1024, or is 0 for none."""
    assert [0, 32, 1024] == [Responses(sketch=one).sketch for one in (0, 32, 1024)]
    with pytest.raises(
        SettingError,
        match=f"^responses.sketch is 0 or an even number from 32 to 1024; got {floats}$",
    ):
        Settings(responses=Responses(sketch=floats))


@pytest.mark.parametrize("text", ["", " ", "head,,", "head, "])
def test_layers_have_names(text: str) -> None:
    """An empty layer pattern is refused, because it matches no layer."""
    assert ("head", "bert.*") == Responses(response_layers=" head ,bert.*").layer_patterns
    with pytest.raises(
        SettingError, match=r"^responses.response_layers are names or patterns with commas between"
    ):
        Settings(responses=Responses(response_layers=text))


@pytest.mark.parametrize("name", [name for name, one in SETTINGS.items() if one.kind is float])
@pytest.mark.parametrize("value", ["inf", "nan", "-inf"])
def test_no_number_is_infinite(name: str, value: str) -> None:
    """Infinity and NaN are refused for every setting that is a float."""
    with pytest.raises(SettingError, match=f"^{name} must be .*; got {float(value)!r}$"):
        Settings.from_environment({variable(name): value})
