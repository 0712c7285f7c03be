"""What an Engine.IO 4 server refuses a request with, and when: the reference server's answers."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final, Literal
from urllib.parse import parse_qsl

import msgspec

VERSION: Final = "4"
"""The value of the query's `EIO`."""

Transport = Literal["polling", "websocket"]
TRANSPORTS: Final[tuple[Transport, ...]] = ("polling", "websocket")

MAX_QUERY_FIELDS: Final = 50
"""Parameters a query may have."""


class ErrorCode(IntEnum):
    """The code of an error, as it stands in the answer's body."""

    UNKNOWN_TRANSPORT = 0
    UNKNOWN_SID = 1
    BAD_HANDSHAKE_METHOD = 2
    BAD_REQUEST = 3
    FORBIDDEN = 4
    UNSUPPORTED_PROTOCOL_VERSION = 5


MESSAGES: Final = {
    ErrorCode.UNKNOWN_TRANSPORT: "Transport unknown",
    ErrorCode.UNKNOWN_SID: "Session ID unknown",
    ErrorCode.BAD_HANDSHAKE_METHOD: "Bad handshake method",
    ErrorCode.BAD_REQUEST: "Bad request",
    ErrorCode.FORBIDDEN: "Forbidden",
    ErrorCode.UNSUPPORTED_PROTOCOL_VERSION: "Unsupported protocol version",
}


class EngineError(Exception):
    """A request that is refused.

    Attributes:
        code: what is wrong.
        message: the code's text, or the application's own for `FORBIDDEN`.
    """

    def __init__(self, code: ErrorCode, message: str | None = None) -> None:
        self.code = code
        self.message = message or MESSAGES[code]
        super().__init__(self.message)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return 403 if self.code is ErrorCode.FORBIDDEN else 400

    def body(self) -> bytes:
        """The JSON of the answer: `{"code", "message"}`."""
        return msgspec.json.encode({"code": self.code.value, "message": self.message})


class Request(msgspec.Struct, frozen=True):
    """A request as far as the protocol looks at it.

    Attributes:
        method: of HTTP, in capitals.
        query: its parameters; of one given twice the last.
        upgrade: whether it asks for a WebSocket.
        origin: the `Origin` header, if any.
        address: where it comes from.
    """

    method: str
    query: Mapping[str, str]
    upgrade: bool = False
    origin: str = ""
    address: str = ""

    @property
    def sid(self) -> str:
        """The session it belongs to; empty to open one."""
        return self.query.get("sid", "")


def parse_query(query: bytes) -> dict[str, str]:
    """Read a query string.

    Raises:
        EngineError: `BAD_REQUEST` for one with absurdly many parameters.
    """
    try:
        pairs = parse_qsl(
            query.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS
        )
    except ValueError:
        raise EngineError(ErrorCode.BAD_REQUEST) from None
    return dict(pairs)


def check(request: Request, current: Transport | None) -> None:
    """Refuse what is no request of the protocol, in the reference server's order of checks.

    Args:
        request: the request.
        current: the transport of the session that it names; None if there is no such session.

    Raises:
        EngineError: it is refused.
    """
    wanted = request.query.get("transport")
    if wanted not in TRANSPORTS:
        raise EngineError(ErrorCode.UNKNOWN_TRANSPORT)
    if any(not _may_stand_in_header(letter) for letter in request.origin):
        raise EngineError(ErrorCode.BAD_REQUEST)
    if request.sid:
        _check_known(request, current)
    else:
        _check_handshake(request)


def _check_known(request: Request, current: Transport | None) -> None:
    if current is None:
        raise EngineError(ErrorCode.UNKNOWN_SID)
    if request.query["transport"] != ("websocket" if request.upgrade else "polling"):
        raise EngineError(ErrorCode.BAD_REQUEST)
    if current == "websocket" and not request.upgrade:
        raise EngineError(ErrorCode.BAD_REQUEST)
    if request.query.get("EIO") != VERSION:
        raise EngineError(ErrorCode.BAD_REQUEST)
    if request.method not in {"GET", "POST"}:
        raise EngineError(ErrorCode.BAD_REQUEST)


def _check_handshake(request: Request) -> None:
    if request.method != "GET":
        raise EngineError(ErrorCode.BAD_HANDSHAKE_METHOD)
    if request.upgrade != (request.query["transport"] == "websocket"):
        raise EngineError(ErrorCode.BAD_REQUEST)
    if request.query.get("EIO") != VERSION:
        raise EngineError(ErrorCode.UNSUPPORTED_PROTOCOL_VERSION)


def _may_stand_in_header(letter: str) -> bool:
    return letter == "\t" or (letter >= " " and letter != "\x7f")
