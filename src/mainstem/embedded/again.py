"""Read from a home what another replay of its log needs in order to give the same results."""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mainstem.embedded.home import KEY, HomeFolder
from mainstem.embedded.recorded import check_same, past_record, record
from mainstem.errors import HomeError
from mainstem.settings import Settings, known
from mainstem.settings.comparing import AUTO, CHOSEN, that_affect
from mainstem.settings.urls import folder_of

__all__ = [
    "check_repeatable",
    "copy_first_version",
    "key_digest",
    "key_of",
    "replay_settings",
    "settings_of",
]

_FACTS: Final = ("learn", "planted", "relabel", "trusted", "threads", "pseudonym_key", "schedule")


def settings_of(
    folder: Path, environment: Mapping[str, str], given: Settings | None = None
) -> Settings:
    """The settings that a home was made with; settings that affect nothing have today's values.

    Args:
        folder: folder of the home.
        environment: variables by name, which may hold settings.
        given: settings to return instead, if the home was made with them.

    Raises:
        HomeError: if the home was made with other settings than the given ones.
    """
    if given is not None:
        kept = record(folder)
        open_ = ("join.questions", *CHOSEN)  # the log and the machine decided
        values = given.flat()
        given = given.but({n: kept.get(n, AUTO) for n in open_ if values[n] == AUTO})
        check_same(kept, that_affect(given, "join", "results"))
        return given
    now = Settings.from_environment(environment).flat()
    free = {name: now[name] for name, field in known().items() if field.means.affects == "nothing"}
    made_with = {name: value for name, value in record(folder).items() if name in known()}
    # a home that was made before such choices were recorded takes those of now
    free |= {name: now[name] for name in CHOSEN if made_with.get(name, AUTO) == AUTO}
    return Settings.of(made_with | free)


def replay_settings(folder: Path, environment: Mapping[str, str], *, from_start: bool) -> Settings:
    """The settings of a home's next replay, where its user gives none.

    They are those of the home, or of a new one, but what the machine decided is left open unless
    the environment asks for it.

    Args:
        folder: folder of the home.
        environment: variables by name, which may hold settings.
        from_start: whether the home begins again, for which it needs no record.

    Raises:
        HomeError: if the home goes on, and its record is broken.
    """
    now = Settings.read(environment)
    read = past_record if from_start else record
    if not read(folder):
        return now
    values = now.flat()
    return settings_of(folder, environment).but({name: values[name] for name in CHOSEN})


def key_of(home: HomeFolder, environment: Mapping[str, str]) -> bytes:
    """The pseudonym key of a home. Unlike `HomeFolder.key`, it never makes a new one.

    Args:
        home: the home.
        environment: variables by name, which may hold the key.

    Raises:
        HomeError: if the key is neither in the home nor in the environment.
    """
    if not environment.get("MAINSTEM_PSEUDONYM_KEY") and not (home.folder / KEY).exists():
        msg = (
            f"{str(home.folder)!r} keeps no key of its pseudonyms; "
            "set MAINSTEM_PSEUDONYM_KEY to the key that it was made with"
        )
        raise HomeError(msg)
    return home.key(environment)


def key_digest(key: bytes) -> str:
    """A digest that identifies the pseudonym key without revealing it, for the record of a home."""
    return hashlib.blake2b(key, digest_size=8, person=b"mainstem-key").hexdigest()


def check_repeatable(home: HomeFolder, now: Mapping[str, Any]) -> Mapping[str, Any]:
    """Refuse a home that a replay of its log cannot reproduce.

    Args:
        home: the home.
        now: facts of the intended replay, by name.

    Returns:
        The facts that the home records beside its settings.

    Raises:
        HomeError: if a fact differs now, if labels were changed on their way into the home, or if
            the home repeats the schedule of a deployment.
    """
    facts = {name: value for name, value in record(home.folder).items() if name in _FACTS}
    if facts.get("relabel", "none") != "none":
        msg = (
            f"labels were changed on their way into {str(home.folder)!r} ({facts['relabel']}), "
            "and LOG does not hold the changed ones; give a home that `mainstem replay` made"
        )
        raise HomeError(msg)
    if facts.get("schedule", "none") != "none":
        msg = (
            f"{str(home.folder)!r} repeats the schedule of a deployment; "
            "verify the deployment: `mainstem stream verify`"
        )
        raise HomeError(msg)
    if other := sorted(name for name, value in now.items() if facts.get(name, value) != value):
        found = ", ".join(f"{name} {facts[name]!r} there, {now[name]!r} now" for name in other)
        msg = (
            f"the home was made otherwise ({found}); "
            "verify it with the trusted samples and the key that it was made with"
        )
        raise HomeError(msg)
    return facts


def copy_first_version(home: HomeFolder, to: HomeFolder) -> None:
    """Copy the first version of a home into another, where a part of the log would make another."""
    shutil.copytree(_versions(home) / "000000", _versions(to) / "000000")


def _versions(home: HomeFolder) -> Path:
    return folder_of(home.versions_url)
