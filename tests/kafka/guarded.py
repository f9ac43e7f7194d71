"""A broker as companies run it: logins, good and bad certificates, and rights for each user."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mainstem.errors import BrokerError
from mainstem.kafka import Broker
from mainstem.kafka.reach import reach
from mainstem.streams.local.kafka import LocalKafka
from mainstem.streams.local.process import free_ports
from tests.services.deployed import until

SECRET: Final = "s3cret-of-the-tests"
USERS: Final = ("owner", "limited")
# by name: security protocol, certificate, mechanisms
LISTENERS: Final = {
    "SASL": ("SASL_PLAINTEXT", "", "PLAIN,SCRAM-SHA-256"),
    "BOTH": ("SASL_SSL", "good", "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"),
    "TLS": ("SSL", "good", ""),
    "EXPIRED": ("SSL", "expired", ""),
    "ELSEWHERE": ("SSL", "elsewhere", ""),
}
_LIMITED: Final = "User:limited"
_CERTIFICATES: Final = {
    "good": ("IP:127.0.0.1", 2),
    "expired": ("IP:127.0.0.1", -1),
    "elsewhere": ("DNS:broker.example", 2),
}


@dataclass(frozen=True)
class Guarded:
    """A broker whose `plain` listener allows everything without a login, beside other listeners."""

    broker: LocalKafka
    ports: dict[str, int]
    ca: Path
    other_ca: Path

    @property
    def plain(self) -> str:
        """Host and port of the listener whose users may do everything."""
        return self.broker.servers

    def url(
        self, listener: str, prefix: str, *, user: str = "", password: str = SECRET, **query: str
    ) -> str:
        """Return a URL of one listener."""
        protocol, certificate, _ = LISTENERS[listener]
        asked = {"security": protocol} | ({"ca": str(self.ca)} if certificate else {}) | query
        login = f"{user}:{password}@" if user else ""
        told = "&".join(f"{name}={value}" for name, value in asked.items() if value)
        return f"kafka://{login}127.0.0.1:{self.ports[listener]}/{prefix}?{told}"


def guarded(folder: Path) -> Guarded:
    """Make certificates and a broker that has not been started."""
    ca, other = _authority(folder, "ca"), _authority(folder, "other")
    for name, (san, days) in _CERTIFICATES.items():
        _certificate(folder, name, san, days)
    ports = dict(zip(LISTENERS, free_ports(len(LISTENERS)), strict=True))
    mechanisms = ("SCRAM-SHA-256", "SCRAM-SHA-512")
    users = [
        f"{mechanism}=[name={user},password={SECRET}]" for user in USERS for mechanism in mechanisms
    ]
    broker = LocalKafka(folder / "broker", users=users, more=_properties(folder, ports))
    return Guarded(broker, ports, ca, other)


def _properties(folder: Path, ports: dict[str, int]) -> str:
    at = ",".join(
        f"{name}://127.0.0.1:{port}" for name, port in {"PLAINTEXT": "{port}", **ports}.items()
    )
    protocols = ",".join(f"{name}:{protocol}" for name, (protocol, _, _) in LISTENERS.items())
    lines = [
        f"listeners={at},CONTROLLER://127.0.0.1:{{controller}}",
        f"advertised.listeners={at}",
        f"listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,{protocols}",
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users=User:ANONYMOUS;User:owner",
    ]
    logins = " ".join(f'user_{user}="{SECRET}"' for user in USERS)
    modules = {
        "plain": f"org.apache.kafka.common.security.plain.PlainLoginModule required {logins};",
        "scram-sha-256": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
        "scram-sha-512": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
    }
    for name, (_, certificate, mechanisms) in LISTENERS.items():
        own = f"listener.name.{name.lower()}"
        if mechanisms:
            lines.append(f"{own}.sasl.enabled.mechanisms={mechanisms}")
        lines += [
            f"{own}.{way}.sasl.jaas.config={modules[way]}"
            for way in mechanisms.lower().split(",")
            if way
        ]
        if certificate:
            lines += [
                f"{own}.ssl.keystore.type=PEM",
                f"{own}.ssl.keystore.location={folder / certificate}.pem",
            ]
    return "\n".join([*lines, ""])


def _authority(folder: Path, name: str) -> Path:
    request = f"req -x509 -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.crt -days 2"
    _openssl(folder, request, "-subj", f"/CN={name} of the tests")
    return folder / f"{name}.crt"


def _certificate(folder: Path, name: str, san: str, days: int) -> None:
    """Make a key and a certificate by the first authority, in one file as Kafka reads it."""
    (folder / f"{name}.ext").write_text(f"subjectAltName={san}\n")
    request = f"req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr"
    _openssl(folder, f"{request} -subj /CN={name}")
    signing = f"x509 -req -in {name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial"
    _openssl(folder, f"{signing} -days {days} -extfile {name}.ext -out {name}.crt")
    (folder / f"{name}.pem").write_text(
        (folder / f"{name}.key").read_text() + (folder / f"{name}.crt").read_text()
    )


def _openssl(folder: Path, words: str, *more: str) -> None:
    command = ["openssl", *words.split(), *more]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


class Rights:
    """The rights of user `limited`, which a user with all rights gives and takes."""

    def __init__(self, servers: str) -> None:
        from kafka.admin import KafkaAdminClient

        self._admin: Any = KafkaAdminClient(bootstrap_servers=servers)

    def allow(self, kind: str, name: str, *operations: str) -> None:
        """Allow operations on a `topic`, a `group` or the `cluster`."""
        from kafka.admin import ACL, ResourcePattern

        pattern = ResourcePattern(_member("ResourceType", kind), name)
        allowed = _member("ACLPermissionType", "allow")
        members = [_member("ACLOperation", one) for one in operations]
        self._admin.create_acls([ACL(_LIMITED, "*", one, allowed, pattern) for one in members])

    def take(self, kind: str = "any", name: str | None = None, operation: str = "any") -> None:
        """Take rights away: those that are named, or all without arguments."""
        from kafka.admin import ACLFilter, ResourcePatternFilter

        pattern = ResourcePatternFilter(
            _member("ResourceType", kind), name, _member("ACLResourcePatternType", "any")
        )
        every = _member("ACLPermissionType", "any")
        self._admin.delete_acls(
            [ACLFilter(_LIMITED, "*", _member("ACLOperation", operation), every, pattern)]
        )

    def close(self) -> None:
        """Close the connection."""
        self._admin.close()


def _member(enumeration: str, name: str) -> Any:
    import kafka.admin

    return getattr(kafka.admin, enumeration)[name.upper()]


def is_let_in(url: str, *needs: Any) -> bool:
    """Whether a broker accepts a login with what it needs."""
    try:
        reach(Broker.parse(url), *needs)
    except BrokerError:
        return False
    return True


def until_told(tell: Callable[[], str], part: str) -> None:
    """Wait until a change of rights has reached the broker."""
    heard = [""]

    def tells() -> bool:
        heard[0] = tell()
        return part in heard[0]

    until(tells, 10, lambda: heard[0])
