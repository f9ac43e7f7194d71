"""Where the broker is and how to log in: one URL says both."""

import re
from dataclasses import dataclass, field
from typing import Any, Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

from mainstem.errors import SettingError
from mainstem.kafka.login import QUERY, Login

__all__ = ["Broker"]

_PORT: Final = 9092
_LIKE: Final = (
    "a broker is kafka://host:port/prefix (?security=, mechanism= and ca= where needed); got {!r}"
)
_LONGEST: Final = 200  # characters of a prefix; Kafka's longest name has 249
_NAME: Final = re.compile(rf"[A-Za-z0-9._-]{{1,{_LONGEST}}}")
_SERVER: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+)(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, kw_only=True)
class Broker:
    """A Kafka cluster as mainstem sees it.

    Attributes:
        servers: `host:port` of each bootstrap server.
        prefix: put before every topic and group, so that several deployments share a cluster.
        login: how to log in.
    """

    servers: tuple[str, ...]
    prefix: str = ""
    login: Login = field(default_factory=Login)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `kafka://[user:password@]host[:port][,host[:port]...][/prefix][?security=...&mechanism=...&ca=...]`.

        Raises:
            SettingError: if the URL is another one.

        Example:
            >>> broker = Broker.parse("kafka://one,two:9093/shop")
            >>> broker.servers, broker.topic("samples")
            (('one:9092', 'two:9093'), 'shop.samples')
        """
        try:
            parts = urlsplit(url)
        except ValueError as error:  # an address that is none
            raise SettingError(_LIKE.format(_hidden(url))) from error
        login, _, hosts = parts.netloc.rpartition("@")
        query = {
            name: values[-1]
            for name, values in parse_qs(parts.query, keep_blank_values=True).items()
        }
        if parts.scheme != "kafka" or not hosts or query.keys() - QUERY or parts.fragment:
            raise SettingError(_LIKE.format(_hidden(url)))
        user, _, password = login.partition(":")
        return cls(
            servers=tuple(_server(host.strip(), url) for host in hosts.split(",")),
            prefix=_prefix(parts.path),
            login=Login.of(unquote(user), unquote(password), query),
        )

    def topic(self, name: str) -> str:
        """Full name of one of our topics."""
        return f"{self.prefix}.{name}" if self.prefix else name

    def group(self, name: str) -> str:
        """Full name of one of our consumer groups."""
        return f"{self.prefix}.mainstem-{name}" if self.prefix else f"mainstem-{name}"

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of every client of kafka-python."""
        return {"bootstrap_servers": list(self.servers), **self.login.options()}


def _server(host: str, url: str) -> str:
    """`host:port` of one server, with the default port where none is given; an IPv6 address stands in brackets."""
    found = _SERVER.fullmatch(host)
    if not found or not 0 < int(found["port"] or _PORT) < 1 << 16:
        raise SettingError(_LIKE.format(_hidden(url)))
    return host if found["port"] else f"{host}:{_PORT}"


def _prefix(path: str) -> str:
    """What is put before topics and groups; empty where the URL ends with the server."""
    prefix = unquote(path.removeprefix("/").removesuffix("/"))
    if "@" in prefix:
        msg = "an @ stands behind the first slash of MAINSTEM_EVENTS; quote / in user and password: %2F, and # %23, and ? %3F"
        raise SettingError(msg)
    if path.startswith("//") or (prefix and not _NAME.fullmatch(prefix)) or prefix in {".", ".."}:
        msg = (
            f"a prefix is at most {_LONGEST} letters, digits, dots, dashes and _ (kafka://host:port/shop); "
            f"got {path.removeprefix('/')!r}, which Kafka takes for no topic's name"
        )
        raise SettingError(msg)
    return prefix


def _hidden(url: str) -> str:
    """The URL without its password, nor anything that may be one in a wrong place."""
    before, at, after = url.rpartition("@")
    shown = f"{before.partition('://')[0]}://…{at}{after}" if at else url
    address, asks, query = shown.partition("?")
    return address + asks + re.sub(r"=[^&#]*", "=…", query)
