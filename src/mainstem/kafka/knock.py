"""Tries a connection, a certificate and a login at one broker, and says in words what is wrong.

Kafka's clients try again after any error, and kafka-python loses an answer after which the broker
hangs up, so that a refused login looks like a broken connection. This module sends the few messages
of a login once, and reports the answer.
"""

import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from mainstem.kafka.faults import one_line
from mainstem.kafka.login import MECHANISMS, Login

__all__ = ["knock", "mechanisms"]

_SECONDS: Final = 2.5
_CLIENT: Final = b"mainstem"
# Kafka's requests, each with the version that is sent
_HANDSHAKE: Final = (17, 1)
_VERSIONS: Final = (18, 0)
_AUTHENTICATE: Final = (36, 0)
_FINE, _OTHER_MECHANISM, _NO_LOGIN_HERE = 0, 33, 34  # Kafka's error codes
_TLS_ALERT: Final = b"\x15\x03"  # first bytes of an answer from a broker that expects TLS
_LARGEST: Final = 1 << 20  # bytes of an answer at most
# OpenSSL's error codes, see `man openssl-verification-options`
_NOT_YET, _EXPIRED = 9, 10
_UNKNOWN_ISSUERS: Final = {2, 18, 19, 20, 21}
_OTHER_NAMES: Final = {62, 63, 64}


class _RefusedError(Exception):
    """The broker refuses the login; the message says why."""


class _HungUpError(OSError):
    """The broker ended the connection, or sent an answer that is not Kafka's."""


def knock(server: str, login: Login) -> str:
    """Try to log in at a broker.

    A broker that wants a login does not say so to a client without one; `mechanisms` finds it out.

    Args:
        server: the broker, as `host:port`.
        login: how to log in.

    Returns:
        What went wrong and what to do about it, as a text that follows the name of the broker;
        empty if the broker accepts the login.

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
            f"cannot be reached with {login.security} ({one_line(error)}); check that it is up, "
            "that MAINSTEM_EVENTS is right, and that it wants no other ?security="
        )
    return ""


def mechanisms(server: str, login: Login) -> str:
    """Find out by which mechanisms a broker wants a login.

    Args:
        server: the broker, as `host:port`.
        login: says whether the connection is encrypted, and by which certificates.

    Returns:
        Names of mechanisms, separated by commas; empty if the broker wants no login.
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
    host = server.rpartition(":")[0].strip("[]")
    with context.wrap_socket(line, server_hostname=host) as speaking:
        yield speaking


def _greet(line: socket.socket) -> None:
    """Send a request that a broker answers to any client."""
    _ask(line, _VERSIONS, b"")


def _log_in(line: socket.socket, login: Login) -> None:
    from kafka.net.sasl import get_sasl_mechanism  # only programs have kafka-python

    code, names = _offered(line, login.mechanism)
    if code == _NO_LOGIN_HERE:
        plain = "SSL" if login.is_encrypted else "PLAINTEXT"
        msg = f"accepts no login at all; leave out user and password, and say security={plain}"
        raise _RefusedError(msg)
    if code != _FINE:
        ways = [name for name in names.split(", ") if name in MECHANISMS]
        mend = f"say mechanism={ways[0]}" if ways else f"enable one of {', '.join(MECHANISMS)}"
        accepted = f"by {names}" if names else "by no mechanism"
        msg = f"does not accept a login by {login.mechanism}, but {accepted}; {mend}"
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
        # SCRAM: the broker must prove that it knows the password, too
        raise _RefusedError(_refused(login, "the broker does not know the password itself"))


def _refused(login: Login, reason: str) -> str:
    why = one_line(ValueError(reason))
    return (
        f"refuses the login of {login.user!r} by {login.mechanism} ({why}); check user and "
        "password in MAINSTEM_EVENTS, and that special characters in them are quoted (%40 for @)"
    )


def _offered(line: socket.socket, mechanism: str) -> tuple[int, str]:
    """Ask the broker for a mechanism; return its error code, and the mechanisms that it accepts."""
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
        msg = "its answer is not in Kafka's protocol"
        raise _HungUpError(msg)
    return _read(line, length)[4:]  # the first four bytes are the number of the request


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
    """Read a text in an answer; return it, and the position after it."""
    length = max(int.from_bytes(answer[at : at + 2], "big", signed=True), 0)
    return answer[at + 2 : at + 2 + length].decode(errors="replace"), at + 2 + length


def _certificate_fault(error: ssl.SSLCertVerificationError, server: str, login: Login) -> str:
    host, known = server.rpartition(":")[0], repr(login.ca_file) if login.ca_file else "this system"
    if error.verify_code in _UNKNOWN_ISSUERS:
        what = (
            f"signed by an authority that {known} does not know; "
            "give the file of that authority, ?ca=/path/ca.pem"
        )
    elif error.verify_code in _OTHER_NAMES:
        what = f"not for {host}; put a name that is in it into MAINSTEM_EVENTS"
    elif error.verify_code in {_EXPIRED, _NOT_YET}:
        what = "out of date; renew it at the broker, or set the clock here"
    else:
        what = "not valid; replace it at the broker"
    return f"shows a certificate that is {what} ({error.verify_message.rstrip('.')})"


def _security_fault(server: str, login: Login) -> str:
    """Say so if broker and login disagree about encryption; otherwise return an empty text."""
    said = login.security
    try:
        with _call(server) as line:
            if login.is_encrypted:
                _greet(line)
                other = said.replace("SSL", "PLAINTEXT")
                return f"speaks no TLS, but security is {said}; say security={other}"
            # nothing is sent, so the certificate does not matter here
            blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
            with _encrypted(line, server, blind):
                other = said.replace("PLAINTEXT", "SSL")
                return f"speaks TLS, but security is {said}; say security={other}"
    except (OSError, ValueError):
        return ""
