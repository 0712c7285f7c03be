"""One attempt to use the broker, and what stands in its way in a sentence for an operator."""

import os
import socket
import ssl
from typing import Final
from urllib.parse import urlsplit

import hiredis

from shared.broker.transport.resp import GreetingRefused, open_connection
from shared.config.reaching import Unreachable
from shared.config.urls import host_of, scheme_of

DEFAULT_PORT: Final = 6379

_REFUSALS: Final = {
    "WRONGPASS": "{where} refuses the user name or the password; is it percent-encoded?",
    "NOAUTH": "{where} asks for a password, and the URL has none",
    "ERR AUTH": "{where} has no password, and the URL has one",
    "ERR DB index": "{where} has no database of this number",
    "ERR invalid DB": "{where} has no database of this number",
    "ERR SELECT": "{where} has no database of this number",
    "NOPERM": "{where} does not let this user do what it needs ({text})",
    "DENIED": "{where} takes connections of its own machine only (protected-mode)",
}
"""Answers that waiting does not change, by their beginnings."""


async def reach_broker(url: str) -> None:
    """Connect to the broker once, as processes do.

    Args:
        url: a REDIS_URL that `check_broker_url` has passed.

    Raises:
        Unreachable: it cannot be used.
    """
    where = urlsplit(url).path if scheme_of(url) == "unix" else host_of(url, DEFAULT_PORT)
    try:
        connection = await open_connection(url, lambda _reply: None)
    except GreetingRefused as error:
        raise _refusal(where, str(error)) from None
    except OSError as error:
        raise _failure(url, where, error) from None
    connection.end(ConnectionError("reached"))


def _refusal(where: str, text: str) -> Unreachable:
    for beginning, sentence in _REFUSALS.items():
        if text.startswith(beginning):
            return _unreachable(sentence.format(where=where, text=text), permanent=True)
    return _unreachable(f"{where} is not ready ({text})")


def _failure(url: str, where: str, error: OSError) -> Unreachable:
    tls = scheme_of(url) == "rediss"
    match error:
        case ssl.SSLCertVerificationError():
            reason = error.verify_message
            return _unreachable(
                f"the certificate of {where} is not trusted ({reason})", permanent=True
            )
        case ssl.SSLError():
            sentence = f"{where} does not speak TLS: write redis:// for rediss://"
            return _unreachable(f"{sentence} ({error.reason})", permanent=True)
        case socket.gaierror():
            return _unreachable(f"the host of {where} is not found ({error.strerror})")
        case TimeoutError() if not error.errno:
            hint = "; does it speak TLS?" if tls else ""
            return _unreachable(f"{where} does not answer{hint}")
    if isinstance(error.__cause__, hiredis.ProtocolError):
        return _unreachable(f"what answers at {where} is no Redis", permanent=True)
    if error.__cause__ is not None and not tls:
        return _unreachable(f"{where} closes the connection; does it want TLS, rediss://?")
    return _unreachable(f"{where} cannot be reached ({_reason(error)})")


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)


def _unreachable(sentence: str, *, permanent: bool = False) -> Unreachable:
    return Unreachable(f"REDIS_URL: {sentence}", permanent=permanent)
