"""Where things are: broker, history, versions and snapshots, each a URL. Unlike settings, no result depends on them."""

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
"""Environment variables that name addresses, and the secret of the pseudonyms."""
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
        events: `kafka://host:port,host:port/prefix`; the prefix is put before every topic and group.
        store: `clickhouse://user:password@host:port/database`.
        versions, snapshots: any fsspec URL, `file:///folder` or `s3://bucket/folder`.
    """

    events: str = ""
    store: str = ""
    versions: str = ""
    snapshots: str = ""

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str], *needed: str, **given: str | None
    ) -> Self:
        """Addresses out of `MAINSTEM_EVENTS` and its like, overridden by what is given.

        Args:
            environment: usually `os.environ`.
            needed: names of addresses that must be known.
            given: addresses from elsewhere; None counts as not given.

        Raises:
            SettingError: if a needed place is not known.

        Example:
            >>> Addresses.from_environment({"MAINSTEM_EVENTS": "kafka://localhost"}, "events").events
            'kafka://localhost'
        """
        values = {
            name.name: given.get(name.name) or environment.get(f"MAINSTEM_{name.name.upper()}", "")
            for name in fields(cls)
        }
        for name in needed:
            if not values[name]:
                msg = f"MAINSTEM_{name.upper()} is not set; it says where things are, like {_LIKE[name]!r}"
                raise SettingError(msg)
        return cls(**values)
