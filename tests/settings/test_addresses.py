"""Addresses are read from the environment, and the command line overrides it."""

from dataclasses import fields

import pytest

from mainstem.errors import SettingError
from mainstem.settings.addresses import NAMES, Addresses

ALL = {
    "MAINSTEM_EVENTS": "kafka://one",
    "MAINSTEM_STORE": "clickhouse://two/db",
    "MAINSTEM_VERSIONS": "file:///versions",
    "MAINSTEM_SNAPSHOTS": "s3://bucket/snapshots",
}


def test_each_place_has_its_variable() -> None:
    """Four variables give four addresses, and other variables do not matter."""
    expected = Addresses(
        events="kafka://one",
        store="clickhouse://two/db",
        versions="file:///versions",
        snapshots="s3://bucket/snapshots",
    )
    assert expected == Addresses.from_environment(
        {**ALL, "EVENTS": "x", "MAINSTEM_JOIN__GRACE": "1m"}
    )


def test_what_is_given_comes_first() -> None:
    """An address on the command line overrides the variable, unless it is None."""
    found = Addresses.from_environment(ALL, "events", events="kafka://other", store=None)
    assert ("kafka://other", "clickhouse://two/db") == (found.events, found.store)


def test_what_is_given_suffices() -> None:
    """A required address may be given without its variable."""
    found = Addresses.from_environment({}, "events", events="kafka://other")
    assert "kafka://other" == found.events


def test_what_is_not_needed_may_be_missing() -> None:
    """A program requires only the addresses that it uses."""
    assert Addresses() == Addresses.from_environment({})


@pytest.mark.parametrize("name", [field.name for field in fields(Addresses)])
def test_a_missing_place_is_named_with_an_example(name: str) -> None:
    """The error for a missing or empty address has the variable and an example."""
    variable = f"MAINSTEM_{name.upper()}"
    with pytest.raises(SettingError, match=rf"^{variable} is not set; .*, like '[a-z]+://"):
        Addresses.from_environment(
            {**ALL, variable: ""}, *[field.name for field in fields(Addresses)]
        )


def test_every_place_is_no_setting() -> None:
    """The settings do not take the variables of addresses for misspelt settings."""
    assert {f"MAINSTEM_{field.name.upper()}" for field in fields(Addresses)} <= NAMES
