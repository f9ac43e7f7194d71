"""Where the broker is and how to log in: one URL, understood for kafka-python and for Faust alike."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

from mainstem.errors import SettingError

__all__ = ["Broker"]

_PORT: Final = 9092
_QUERY: Final = {"security", "mechanism", "ca"}
_LIKE: Final = "a broker is kafka://host:port/prefix (?security=, mechanism= and ca= where needed); got {!r}"
_LONGEST: Final = 200  # characters of a prefix; Kafka's longest name has 249
_NAME: Final = re.compile(rf"[A-Za-z0-9._-]{{1,{_LONGEST}}}")
_SERVER: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+)(?::(?P<port>[0-9]{1,5}))?")
_MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_SECURITIES: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")


@dataclass(frozen=True, kw_only=True)
class Broker:
    """A Kafka cluster as mainstem sees it.

    Attributes:
        servers: `host:port` of each bootstrap server.
        prefix: put before every topic and group, so that several deployments share a cluster.
        user, password: for SASL; empty without.
        security: one of Kafka's security protocols.
        mechanism: of SASL, `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
        ca_file: certificates that the servers' are checked against; empty: those of the system.
    """

    servers: tuple[str, ...]
    prefix: str = ""
    user: str = ""
    password: str = ""
    security: str = "PLAINTEXT"
    mechanism: str = "PLAIN"
    ca_file: str = ""

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
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if parts.scheme != "kafka" or not hosts or query.keys() - _QUERY or parts.fragment:
            raise SettingError(_LIKE.format(_hidden(url)))
        user, _, password = login.partition(":")
        broker = cls(
            servers=tuple(_server(host.strip(), url) for host in hosts.split(",")),
            prefix=_prefix(parts.path),
            user=unquote(user),
            password=unquote(password),
            security=query.get("security", "SASL_SSL" if user else "PLAINTEXT").upper(),
            mechanism=query.get("mechanism", "PLAIN").upper(),
            ca_file=query.get("ca", ""),
        )
        broker._check(query)
        return broker

    def _check(self, query: Mapping[str, str]) -> None:
        """Refuse what does not go together: a login that would not be used, or one that is missing."""
        if self.security not in _SECURITIES:
            msg = f"security is one of {', '.join(_SECURITIES)}; got {self.security!r}"
            raise SettingError(msg)
        if self.mechanism not in _MECHANISMS:
            msg = f"mechanism is one of {', '.join(_MECHANISMS)}; got {self.mechanism!r}"
            raise SettingError(msg)
        by_login = self.security.startswith("SASL")
        if by_login and not (self.user and self.password):
            msg = f"security {self.security} needs a login: kafka://user:password@host:port/prefix"
            raise SettingError(msg)
        if not by_login and (self.user or "mechanism" in query):
            msg = f"security {self.security} sends no login, but one is given; say security=SASL_SSL, or SASL_PLAINTEXT"
            raise SettingError(msg)
        if self.ca_file and not self.security.endswith("SSL"):
            msg = f"security {self.security} checks no certificates, but ca={self.ca_file!r} is given; say security=SSL"
            raise SettingError(msg)

    def topic(self, name: str) -> str:
        """Full name of one of our topics."""
        return f"{self.prefix}.{name}" if self.prefix else name

    def group(self, name: str) -> str:
        """Full name of one of our consumer groups."""
        return f"{self.prefix}.mainstem-{name}" if self.prefix else f"mainstem-{name}"

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of every client of kafka-python."""
        options: dict[str, Any] = {"bootstrap_servers": list(self.servers), "security_protocol": self.security}
        if self.security.startswith("SASL"):
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        if self.ca_file:
            options["ssl_cafile"] = self.ca_file
        return options


def _server(host: str, url: str) -> str:
    """`host:port` of one server, with the default port where none is given; an IPv6 address stands in brackets."""
    found = _SERVER.fullmatch(host)
    if not found or not 0 < int(found["port"] or _PORT) < 1 << 16:
        raise SettingError(_LIKE.format(_hidden(url)))
    return host if found["port"] else f"{host}:{_PORT}"


def _prefix(path: str) -> str:
    """What is put before topics and groups; empty where the URL ends with the server."""
    prefix = unquote(path.removeprefix("/").removesuffix("/"))
    if path.startswith("//") or (prefix and not _NAME.fullmatch(prefix)) or prefix in {".", ".."}:
        msg = (
            f"a prefix is at most {_LONGEST} letters, digits, dots, dashes and _ (kafka://host:port/shop); "
            f"got {path.removeprefix('/')!r}, which Kafka takes for no topic's name"
        )
        raise SettingError(msg)
    return prefix


def _hidden(url: str) -> str:
    """The URL without its password."""
    before, at, after = url.rpartition("@")
    return f"{before.partition('://')[0]}://…{at}{after}" if at else url
