"""One call at one broker, by hand: what it says to a connection, a certificate and a login, heard to the end.

Kafka's clients try again whatever went wrong, and kafka-python loses an answer behind which the broker hangs up: a refused
login looks like a broken line. Here the few messages that a login takes are sent once, and what comes back is told.
"""

import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from mainstem.kafka.faults import told_of
from mainstem.kafka.login import MECHANISMS, Login

__all__ = ["knock", "mechanisms"]

_SECONDS: Final = 2.5
_CLIENT: Final = b"mainstem"
_HANDSHAKE, _VERSIONS, _AUTHENTICATE = (
    (17, 1),
    (18, 0),
    (36, 0),
)  # Kafka's requests, each with the version that is sent
_FINE, _OTHER_MECHANISM, _NO_LOGIN_HERE = 0, 33, 34  # Kafka's codes
_TLS_ALERT: Final = b"\x15\x03"
_LARGEST: Final = 1 << 20  # bytes of an answer
_NOT_YET, _EXPIRED = 9, 10  # OpenSSL's codes, `man openssl-verification-options`
_UNKNOWN_ISSUERS: Final = {2, 18, 19, 20, 21}
_OTHER_NAMES: Final = {62, 63, 64}


class _RefusedError(Exception):
    """What is wrong, in words."""


class _HungUpError(OSError):
    """The broker ended the connection, or spoke otherwise than Kafka does."""


def knock(server: str, login: Login) -> str:
    """What a broker does wrong, and what to do about it; empty where it lets this login in.

    A broker that wants a login, and is called without one, says so to nobody: `mechanisms` asks for it.

    Args:
        server: `host:port`.
        login: how to log in.

    Raises:
        BrokerError: if the file of certificates cannot be read.
    """
    context = login.context()
    try:
        with _call(server) as line, _encrypted(line, server, context) as speaking:
            if login.by_password:
                _log_in(speaking, login)
            else:
                _greet(speaking)
    except _RefusedError as error:
        return str(error)
    except ssl.SSLCertVerificationError as error:
        return _certificate_fault(error, server, login)
    except (OSError, struct.error, ValueError) as error:
        return _security_fault(server, login) or (
            f"cannot be reached with {login.security} ({told_of(error)}); is it up, is MAINSTEM_EVENTS right, and does it "
            "want another ?security= than that?"
        )
    return ""


def mechanisms(server: str, login: Login) -> str:
    """By which mechanisms a broker wants a login, where it wants one; else nothing.

    Args:
        server: `host:port`.
        login: says whether the connection is encrypted.
    """
    try:
        with _call(server) as line, _encrypted(line, server, login.context()) as speaking:
            code, names = _offered(speaking, "")
    except (OSError, struct.error, ValueError):
        return ""
    return names if code == _OTHER_MECHANISM else ""


@contextmanager
def _call(server: str) -> Iterator[socket.socket]:
    host, _, port = server.rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=_SECONDS) as line:
        yield line


@contextmanager
def _encrypted(
    line: socket.socket, server: str, context: ssl.SSLContext | None
) -> Iterator[socket.socket]:
    if context is None:
        yield line
        return
    with context.wrap_socket(
        line, server_hostname=server.rpartition(":")[0].strip("[]")
    ) as speaking:
        yield speaking


def _greet(line: socket.socket) -> None:
    """Ask what every broker answers to everybody."""
    _ask(line, _VERSIONS, b"")


def _log_in(line: socket.socket, login: Login) -> None:
    from kafka.net.sasl import get_sasl_mechanism  # programs have it

    code, names = _offered(line, login.mechanism)
    if code == _NO_LOGIN_HERE:
        plain = "SSL" if login.is_encrypted else "PLAINTEXT"
        msg = f"takes no login by {login.mechanism}, nor any other; leave out user and password, and say security={plain}"
        raise _RefusedError(msg)
    if code != _FINE:
        ways = [name for name in names.split(", ") if name in MECHANISMS]
        mend = f"say mechanism={ways[0]}" if ways else f"give it one of {', '.join(MECHANISMS)}"
        msg = f"does not take a login by {login.mechanism}, but by {names or 'nothing'}; {mend}"
        raise _RefusedError(msg)
    talk: Any = get_sasl_mechanism(login.mechanism)(host="", **login.options())
    while not talk.is_done():
        token = talk.auth_bytes()
        answer = _ask(line, _AUTHENTICATE, struct.pack(">i", len(token)) + token)
        if int.from_bytes(answer[:2], "big", signed=True) != _FINE:
            raise _RefusedError(_refused(login, _text(answer, 2)[0]))
        start = _text(answer, 2)[1] + 4
        talk.receive(answer[start:])
    if not talk.is_authenticated():
        raise _RefusedError(_refused(login, "it does not know the password itself"))


def _refused(login: Login, reason: str) -> str:
    told = told_of(ValueError(reason))
    return (
        f"refuses the login of {login.user!r} by {login.mechanism} ({told}); are user and password in MAINSTEM_EVENTS "
        "right, and odd characters of them quoted (%40 for @)?"
    )


def _offered(line: socket.socket, mechanism: str) -> tuple[int, str]:
    """What the broker says to a mechanism, and those that it takes."""
    answer = _ask(line, _HANDSHAKE, struct.pack(">h", len(mechanism)) + mechanism.encode())
    code, count = struct.unpack(">hi", answer[:6])
    names, at = list[str](), 6
    for _ in range(count):
        name, at = _text(answer, at)
        names.append(name)
    return code, ", ".join(sorted(names))


def _ask(line: socket.socket, request: tuple[int, int], body: bytes) -> bytes:
    """Send a request and read the answer to it."""
    sent = struct.pack(">hhih", *request, 1, len(_CLIENT)) + _CLIENT + body
    line.sendall(struct.pack(">i", len(sent)) + sent)
    size = _read(line, 4)
    length = int.from_bytes(size, "big", signed=True)
    if size[:2] == _TLS_ALERT or not 4 <= length <= _LARGEST:
        msg = "what it answers is not of Kafka"
        raise _HungUpError(msg)
    return _read(line, length)[4:]  # behind the number of the request


def _read(line: socket.socket, length: int) -> bytes:
    read = b""
    while len(read) < length:
        part = line.recv(length - len(read))
        if not part:
            msg = "it ends the connection"
            raise _HungUpError(msg)
        read += part
    return read


def _text(answer: bytes, at: int) -> tuple[str, int]:
    """A text of an answer, and where it ends."""
    length = max(int.from_bytes(answer[at : at + 2], "big", signed=True), 0)
    return answer[at + 2 : at + 2 + length].decode(errors="replace"), at + 2 + length


def _certificate_fault(error: ssl.SSLCertVerificationError, server: str, login: Login) -> str:
    host, known = server.rpartition(":")[0], repr(login.ca_file) if login.ca_file else "this system"
    if error.verify_code in _UNKNOWN_ISSUERS:
        what = f"by nobody whom {known} knows; give the file of the authority that signed it, ?ca=/path/ca.pem"
    elif error.verify_code in _OTHER_NAMES:
        what = f"for another name than {host}; put the name that is in it into MAINSTEM_EVENTS"
    elif error.verify_code in {_EXPIRED, _NOT_YET}:
        what = "out of date; renew it at the broker, or set the clock here"
    else:
        what = "not good; mend it at the broker"
    return f"shows a certificate that is {what} ({error.verify_message.rstrip('.')})"


def _security_fault(server: str, login: Login) -> str:
    """Whether it is the encryption in which the two differ."""
    said = login.security
    try:
        with _call(server) as line:
            if login.is_encrypted:
                _greet(line)
                return f"speaks no TLS, and security is {said}; say security={said.replace('SSL', 'PLAINTEXT')}"
            blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            blind.check_hostname, blind.verify_mode = (
                False,
                ssl.CERT_NONE,
            )  # nothing is said, and nothing believed
            with _encrypted(line, server, blind):
                return f"speaks TLS, and security is {said}; say security={said.replace('PLAINTEXT', 'SSL')}"
    except (OSError, ValueError):
        return ""
