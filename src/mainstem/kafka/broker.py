"""Where the broker is and how to log in: one URL, understood for kafka-python and for Faust alike."""

from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

from mainstem.errors import SettingError

__all__ = ["Broker"]

_PORT: Final = 9092
_QUERY: Final = {"security", "mechanism", "ca"}
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
        parts = urlsplit(url)
        login, _, hosts = parts.netloc.rpartition("@")
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if parts.scheme != "kafka" or not hosts or query.keys() - _QUERY:
            msg = f"a broker is kafka://host:port/prefix (?security=, mechanism= and ca= where needed); got {_hidden(url)!r}"
            raise SettingError(msg)
        user, _, password = login.partition(":")
        security = query.get("security", "SASL_SSL" if user else "PLAINTEXT").upper()
        if security not in _SECURITIES:
            msg = f"security is one of {', '.join(_SECURITIES)}; got {security!r}"
            raise SettingError(msg)
        return cls(
            servers=tuple(host if ":" in host else f"{host}:{_PORT}" for host in hosts.split(",")),
            prefix=parts.path.strip("/"),
            user=unquote(user),
            password=unquote(password),
            security=security,
            mechanism=query.get("mechanism", "PLAIN").upper(),
            ca_file=query.get("ca", ""),
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


def _hidden(url: str) -> str:
    """The URL without its password."""
    before, at, after = url.rpartition("@")
    return f"{before.partition('://')[0]}://…{at}{after}" if at else url
