"""Says how to log in at a broker: security protocol, mechanism, user, password and certificates.

kafka-python, aiokafka and Faust all get their options here, so that they agree on which
certificates are valid.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from mainstem.errors import BrokerError, SettingError

__all__ = ["MECHANISMS", "QUERY", "Login"]

QUERY: Final = frozenset({"security", "mechanism", "ca"})
"""Names that the query of a broker's URL may have."""
MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
"""SASL mechanisms that can send user and password."""
_SECURITIES: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")


@dataclass(frozen=True, kw_only=True)
class Login:
    """How to log in.

    Attributes:
        security: security protocol: `PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`.
        mechanism: SASL mechanism: `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
        user: user for SASL; empty without SASL.
        password: password for SASL; empty without SASL. It is never printed.
        ca_file: file of the authorities that may sign the brokers' certificates, in PEM form; empty
            takes the authorities of the system.
    """

    security: str = "PLAINTEXT"
    mechanism: str = "PLAIN"
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""

    @classmethod
    def of(cls, user: str, password: str, query: Mapping[str, str]) -> Self:
        """Make the login that a broker's URL asks for.

        Args:
            user, password: as in the URL; empty if it has none.
            query: query of the URL. Without `security`, a user means `SASL_SSL`.

        Raises:
            SettingError: if a value is unknown, or if values contradict each other, so that one of
                them would be ignored.

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
        """Whether the connection is encrypted."""
        return self.security.endswith("SSL")

    def context(self) -> ssl.SSLContext | None:
        """TLS context that checks the brokers' certificates; None without encryption.

        Raises:
            BrokerError: if the file of certificates cannot be read.
        """
        if not self.is_encrypted:
            return None
        # subtle: from Python 3.13 on, `create_default_context` refuses certificates that Java makes
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if not self.ca_file:
            context.load_default_certs()
            return context
        if not Path(self.ca_file).is_file():
            msg = f"the file {self.ca_file!r}, which ca= in MAINSTEM_EVENTS names, does not exist"
            raise BrokerError(msg)
        try:
            context.load_verify_locations(self.ca_file)
        except OSError as error:  # ssl.SSLError is one
            msg = (
                f"{self.ca_file!r}, which ca= in MAINSTEM_EVENTS names, cannot be read as "
                f"certificates in PEM form ({error.strerror or error})"
            )
            raise BrokerError(msg) from error
        return context

    def options(self) -> dict[str, Any]:
        """Arguments for any client of kafka-python or aiokafka, apart from the servers.

        Example:
            >>> Login().options()
            {'security_protocol': 'PLAINTEXT'}
        """
        options: dict[str, Any] = {"security_protocol": self.security}
        if self.is_encrypted:
            options["ssl_context"] = self.context()
        if self.by_password:
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        return options

    def credentials(self) -> Any:
        """Value for `broker_credentials` of a Faust app; None if it needs none."""
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
        """Refuse values that contradict each other, such as a login that would not be used."""
        if self.security not in _SECURITIES:
            msg = f"security must be one of {', '.join(_SECURITIES)}; got {self.security!r}"
            raise SettingError(msg)
        if self.mechanism not in MECHANISMS:
            msg = f"mechanism must be one of {', '.join(MECHANISMS)}; got {self.mechanism!r}"
            raise SettingError(msg)
        if self.by_password and not (self.user and self.password):
            msg = f"security {self.security} needs a login: kafka://user:password@host:port/prefix"
            raise SettingError(msg)
        if not self.by_password and (self.user or "mechanism" in query):
            msg = (
                f"security {self.security} sends no login, but one is given; "
                "say security=SASL_SSL or security=SASL_PLAINTEXT"
            )
            raise SettingError(msg)
        if self.ca_file and not self.is_encrypted:
            msg = (
                f"security {self.security} checks no certificates, but ca={self.ca_file!r} is "
                "given; say security=SSL or security=SASL_SSL"
            )
            raise SettingError(msg)
