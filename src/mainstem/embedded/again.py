"""What another replay of a home's log needs to know of the home, so that it comes to the same."""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mainstem.embedded.home import KEY, Home
from mainstem.embedded.recorded import record
from mainstem.errors import HomeError
from mainstem.settings import Settings, known
from mainstem.settings.urls import folder_of

__all__ = ["check_repeatable", "copy_first_version", "key_of", "key_told", "settings_of"]

_FACTS: Final = ("learn", "planted", "relabel", "trusted", "threads", "pseudonym_key", "schedule")


def settings_of(folder: Path, environment: Mapping[str, str]) -> Settings:
    """The settings that a home was made with; what nothing depends on is as it is now.

    Args:
        folder: of the home.
        environment: may hold settings.
    """
    now = Settings.from_environment(environment).flat()
    free = {name: now[name] for name, field in known().items() if field.means.affects == "nothing"}
    return Settings.of(
        free | {name: value for name, value in record(folder).items() if name in known()}
    )


def key_of(home: Home, environment: Mapping[str, str]) -> bytes:
    """The secret of a home's pseudonyms; none is made for a home whose own is kept elsewhere.

    Args:
        home: the home.
        environment: may hold it.

    Raises:
        HomeError: if it is neither in the home nor in the environment.
    """
    if not environment.get("MAINSTEM_PSEUDONYM_KEY") and not (home.folder / KEY).exists():
        msg = f"{str(home.folder)!r} keeps no key of its pseudonyms; set MAINSTEM_PSEUDONYM_KEY to the one it was made with"
        raise HomeError(msg)
    return home.key(environment)


def key_told(key: bytes) -> str:
    """What the settings say of a secret: another one is told from it, and it cannot be found out."""
    return hashlib.blake2b(key, digest_size=8, person=b"mainstem-key").hexdigest()


def check_repeatable(home: Home, now: Mapping[str, Any]) -> Mapping[str, Any]:
    """The facts that a home records beside its settings.

    Args:
        home: the home.
        now: those of them that are known now.

    Raises:
        HomeError: if one is another one now, errors were planted in its labels, or it repeats a deployment's schedule.
    """
    facts = {name: value for name, value in record(home.folder).items() if name in _FACTS}
    if facts.get("relabel", "none") != "none":
        msg = (
            f"labels were changed on their way into {str(home.folder)!r} ({facts['relabel']}), and LOG does not tell them; "
            "give a home that `mainstem replay` made"
        )
        raise HomeError(msg)
    if facts.get("schedule", "none") != "none":
        msg = f"{str(home.folder)!r} repeats the schedule of a deployment; verify the deployment: `mainstem stream verify`"
        raise HomeError(msg)
    if other := sorted(name for name, value in now.items() if facts.get(name, value) != value):
        found = ", ".join(f"{name} {facts[name]!r} there, {now[name]!r} now" for name in other)
        msg = f"the home was made otherwise ({found}); verify it with the trusted samples and the key that it was made with"
        raise HomeError(msg)
    return facts


def copy_first_version(home: Home, to: Home) -> None:
    """Give another home the first version of one, which would be made otherwise of another log."""
    shutil.copytree(_versions(home) / "000000", _versions(to) / "000000")


def _versions(home: Home) -> Path:
    return folder_of(home.versions_url)
