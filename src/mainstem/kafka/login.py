"""How to log in at a broker: security protocol, mechanism, user, password, certificates; told to each client in its words.

kafka-python, aiokafka and Faust get it here, and nowhere else, with one and the same idea of which certificates are good.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from mainstem.errors import BrokerError, SettingError

__all__ = ["MECHANISMS", "QUERY", "Login"]

QUERY: Final = frozenset({"security", "mechanism", "ca"})
"""What the query of a broker's URL may say."""
MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
"""How user and password can be sent."""
_SECURITIES: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")


@dataclass(frozen=True, kw_only=True)
class Login:
    """How to log in.

    Attributes:
        security: one of Kafka's security protocols.
        mechanism: of SASL, `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
        user, password: for SASL; empty without. The password is never printed.
        ca_file: certificates that the servers' are checked against; empty: those of the system.
    """

    security: str = "PLAINTEXT"
    mechanism: str = "PLAIN"
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""

    @classmethod
    def of(cls, user: str, password: str, query: Mapping[str, str]) -> Self:
        """The login that a URL asks for; a user means SASL over TLS where nothing else is said.

        Raises:
            SettingError: if what it says does not go together, so that something would be left out without a word.

        Example:
            >>> Login.of("me", "secret", {"mechanism": "scram-sha-512"})
            Login(security='SASL_SSL', mechanism='SCRAM-SHA-512', user='me', ca_file='')
        """
        login = cls(
            security=query.get("security", "SASL_SSL" if user else "PLAINTEXT").upper(),
            mechanism=query.get("mechanism", "PLAIN").upper(),
            user=user,
            password=password,
            ca_file=query.get("ca", ""),
        )
        login._check(query)
        return login

    @property
    def by_password(self) -> bool:
        """Whether user and password are sent."""
        return self.security.startswith("SASL")

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection is."""
        return self.security.endswith("SSL")

    def context(self) -> ssl.SSLContext | None:
        """Which certificates are good; None where there are none to check.

        Raises:
            BrokerError: if the file of certificates cannot be read.
        """
        if not self.is_encrypted:
            return None
        # subtle: not `create_default_context`, which refuses, from Python 3.13 on, certificates that Java makes
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if not self.ca_file:
            context.load_default_certs()
            return context
        if not Path(self.ca_file).is_file():
            msg = f"there is no file {self.ca_file!r}, which ca= in MAINSTEM_EVENTS names"
            raise BrokerError(msg)
        try:
            context.load_verify_locations(self.ca_file)
        except OSError as error:  # ssl.SSLError is one
            msg = (
                f"{self.ca_file!r}, which ca= in MAINSTEM_EVENTS names, cannot be read as certificates in PEM form "
                f"({error.strerror or error})"
            )
            raise BrokerError(msg) from error
        return context

    def options(self) -> dict[str, Any]:
        """Arguments of every client of kafka-python and of aiokafka, beside the servers.

        Example:
            >>> Login().options()
            {'security_protocol': 'PLAINTEXT'}
        """
        told: dict[str, Any] = {"security_protocol": self.security}
        if self.is_encrypted:
            told["ssl_context"] = self.context()
        if self.by_password:
            told |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        return told

    def credentials(self) -> Any:
        """The `broker_credentials` of a Faust app."""
        import faust  # slow to import

        context = self.context()
        if self.by_password:
            return faust.SASLCredentials(
                username=self.user,
                password=self.password,
                ssl_context=context,
                mechanism=self.mechanism,
            )
        return faust.SSLCredentials(context) if context else None

    def _check(self, query: Mapping[str, str]) -> None:
        """Refuse what does not go together: a login that would not be used, or one that is missing."""
        if self.security not in _SECURITIES:
            msg = f"security is one of {', '.join(_SECURITIES)}; got {self.security!r}"
            raise SettingError(msg)
        if self.mechanism not in MECHANISMS:
            msg = f"mechanism is one of {', '.join(MECHANISMS)}; got {self.mechanism!r}"
            raise SettingError(msg)
        if self.by_password and not (self.user and self.password):
            msg = f"security {self.security} needs a login: kafka://user:password@host:port/prefix"
            raise SettingError(msg)
        if not self.by_password and (self.user or "mechanism" in query):
            msg = f"security {self.security} sends no login, but one is given; say security=SASL_SSL, or SASL_PLAINTEXT"
            raise SettingError(msg)
        if self.ca_file and not self.is_encrypted:
            msg = f"security {self.security} checks no certificates, but ca={self.ca_file!r} is given; say security=SSL"
            raise SettingError(msg)
