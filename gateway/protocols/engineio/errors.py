"""Checks of Engine.IO 4 requests, and the errors that refuse them, as the reference server does."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final, Literal
from urllib.parse import parse_qsl

import msgspec

VERSION: Final = "4"
"""The protocol version, as the query's `EIO` has it."""

Transport = Literal["polling", "websocket"]
TRANSPORTS: Final[tuple[Transport, ...]] = ("polling", "websocket")

MAX_QUERY_FIELDS: Final = 50
"""Parameters a query may have."""


class ErrorCode(IntEnum):
    """The codes of errors, as the body of an answer has them."""

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
        code: the code of the error.
        message: the code's text, or the application's own text for `FORBIDDEN`.
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
        """Write the body of the answer: `{"code", "message"}` in JSON."""
        return msgspec.json.encode({"code": self.code.value, "message": self.message})


class Request(msgspec.Struct, frozen=True):
    """The parts of an HTTP request that the protocol uses.

    Attributes:
        method: the HTTP method, in capitals.
        query: the query parameters; of one that is given twice, the last.
        upgrade: True if the request asks for a WebSocket.
        origin: the `Origin` header; empty if there is none.
        address: the client's address.
    """

    method: str
    query: Mapping[str, str]
    upgrade: bool = False
    origin: str = ""
    address: str = ""

    @property
    def sid(self) -> str:
        """The id of the session that the request names; empty if it opens one."""
        return self.query.get("sid", "")


def parse_query(query: bytes) -> dict[str, str]:
    """Read a query string.

    Raises:
        EngineError: `BAD_REQUEST` for more than `MAX_QUERY_FIELDS` parameters.
    """
    try:
        pairs = parse_qsl(
            query.decode("latin-1"), keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS
        )
    except ValueError:
        raise EngineError(ErrorCode.BAD_REQUEST) from None
    return dict(pairs)


def check(request: Request, current: Transport | None) -> None:
    """Check a request, in the order in which the reference server checks it.

    Args:
        request: the request to check.
        current: the transport of the session that the request names; None if there is none.

    Raises:
        EngineError: the request is refused.
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
