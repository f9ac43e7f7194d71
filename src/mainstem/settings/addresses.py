"""The URLs of broker, history, versions and snapshots; unlike settings, they affect no result."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final, Self

from mainstem.errors import SettingError

__all__ = ["NAMES", "Addresses"]

NAMES: Final = frozenset(
    {
        "MAINSTEM_EVENTS",
        "MAINSTEM_STORE",
        "MAINSTEM_VERSIONS",
        "MAINSTEM_SNAPSHOTS",
        "MAINSTEM_HOME",
        "MAINSTEM_PSEUDONYM_KEY",
        "MAINSTEM_CLICKHOUSE_BINARY",
        "MAINSTEM_SETTINGS",
    }
)
"""Variables of the environment that begin like settings and are none: addresses and secrets."""
_LIKE: Final = {
    "events": "kafka://localhost:9092",
    "store": "clickhouse://user:password@localhost:8123/mainstem",
    "versions": "file:///var/lib/mainstem/versions",
    "snapshots": "file:///var/lib/mainstem/snapshots",
}


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where the parts of a deployment are.

    Attributes:
        events: broker, `kafka://host:port,host:port/prefix`; the prefix precedes the name of every
            topic and consumer group.
        store: history, `clickhouse://user:password@host:port/database`.
        versions, snapshots: folders of the versions and of the joiners' snapshots, as any fsspec
            URL, `file:///folder` or `s3://bucket/folder`.

    An address that is not known is an empty string.
    """

    events: str = ""
    store: str = ""
    versions: str = ""
    snapshots: str = ""

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str], *needed: str, **given: str | None
    ) -> Self:
        """Read addresses from `MAINSTEM_EVENTS` and its siblings; a given address wins.

        Args:
            environment: variables by name, usually `os.environ`.
            needed: names of addresses that the caller cannot do without.
            given: addresses by name, usually options of a command; None counts as not given.

        Raises:
            SettingError: if a needed address is not known.

        Example:
            >>> environment = {"MAINSTEM_EVENTS": "kafka://localhost"}
            >>> Addresses.from_environment(environment, "events").events
            'kafka://localhost'
        """
        values = {
            name.name: given.get(name.name) or environment.get(f"MAINSTEM_{name.name.upper()}", "")
            for name in fields(cls)
        }
        for name in needed:
            if not values[name]:
                msg = f"MAINSTEM_{name.upper()} is not set; set it to a URL, like {_LIKE[name]!r}"
                raise SettingError(msg)
        return cls(**values)
