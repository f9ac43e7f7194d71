"""The broker: one URL says where it is and how to log in."""

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
_LONGEST: Final = 200  # longest prefix; Kafka allows 249 characters for a whole name
_NAME: Final = re.compile(rf"[A-Za-z0-9._-]{{1,{_LONGEST}}}")
_SERVER: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+)(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, kw_only=True)
class Broker:
    """A Kafka cluster, and the names of a deployment's topics and groups in it.

    Attributes:
        servers: bootstrap servers, each as `host:port`.
        prefix: text before the name of every topic and group, so that several deployments can share
            a cluster; empty for none.
        login: how clients log in.
    """

    servers: tuple[str, ...]
    prefix: str = ""
    login: Login = field(default_factory=Login)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a broker's URL.

        Args:
            url: URL as `kafka://[user:password@]host[:port][,host[:port]...][/prefix]`, followed
                by `?security=...&mechanism=...&ca=...` where the login needs them. The default
                port is 9092.

        Raises:
            SettingError: if the URL has another form, or asks for a login that is not possible.

        Example:
            >>> broker = Broker.parse("kafka://one,two:9093/shop")
            >>> broker.servers, broker.topic("samples")
            (('one:9092', 'two:9093'), 'shop.samples')
        """
        try:
            parts = urlsplit(url)
        except ValueError as error:  # an invalid IPv6 address
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
        """Full name of a topic, from its short name."""
        return f"{self.prefix}.{name}" if self.prefix else name

    def group(self, name: str) -> str:
        """Full name of a consumer group, from its short name."""
        return f"{self.prefix}.mainstem-{name}" if self.prefix else f"mainstem-{name}"

    @property
    def options(self) -> dict[str, Any]:
        """Arguments for any client of kafka-python or aiokafka."""
        return {"bootstrap_servers": list(self.servers), **self.login.options()}


def _server(host: str, url: str) -> str:
    """Complete a server with the default port; an IPv6 address must stand in brackets."""
    found = _SERVER.fullmatch(host)
    if not found or not 0 < int(found["port"] or _PORT) < 1 << 16:
        raise SettingError(_LIKE.format(_hidden(url)))
    return host if found["port"] else f"{host}:{_PORT}"


def _prefix(path: str) -> str:
    """The prefix of topics and groups; empty if the URL ends with the servers."""
    prefix = unquote(path.removeprefix("/").removesuffix("/"))
    if "@" in prefix:
        msg = (
            "an @ follows the first slash of MAINSTEM_EVENTS; "
            "in user and password, write %2F for /, %23 for # and %3F for ?"
        )
        raise SettingError(msg)
    if path.startswith("//") or (prefix and not _NAME.fullmatch(prefix)) or prefix in {".", ".."}:
        msg = (
            "a prefix (kafka://host:port/PREFIX) must be a name that Kafka accepts for a topic: "
            f"at most {_LONGEST} letters, digits, dots, dashes and _; "
            f"got {path.removeprefix('/')!r}"
        )
        raise SettingError(msg)
    return prefix


def _hidden(url: str) -> str:
    """Hide the password of a URL, and whatever may be a password in the wrong place."""
    before, at, after = url.rpartition("@")
    shown = f"{before.partition('://')[0]}://…{at}{after}" if at else url
    address, asks, query = shown.partition("?")
    return address + asks + re.sub(r"=[^&#]*", "=…", query)
