"""Bodies of REST requests: JSON objects in UTF-8, whatever their `Content-Type` says."""

import asyncio
import codecs
from http import HTTPStatus
from typing import Any, Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request

from gateway.protocols.reading import error_text, read_leniently
from shared.errors import ChatError
from shared.model.commands import Command

BODY_TIMEOUT_SECONDS: Final = 30.0
"""Seconds that it may take."""

CHARSETS: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
"""Names of the character sets of bodies. Python's `codecs.lookup` would keep every name that it
does not know, and with it whatever strangers send, for the life of the process."""


async def read_body(request: Request, kind: type[Command]) -> Any:  # noqa: ANN401 - of `kind`
    """Read the body of a request as a command.

    Raises:
        ChatError: `bad_request`, with a text that says what is wrong with which part; `too_long`.
        HTTPException: the body is encoded in a way that is not read here, or did not come in time.
    """
    _check_encoding(request)
    return command_of(await _receive(request), kind)


def command_of(body: bytes, kind: type[Command]) -> Any:  # noqa: ANN401 - of `kind`
    """Read a whole body as a command.

    Raises:
        ChatError: `bad_request`.
    """
    try:
        text = body.removeprefix(codecs.BOM_UTF8).decode()
        if not text.strip():
            raise _bad("is empty: send a JSON object")
        try:
            return msgspec.json.decode(text, type=kind)
        except msgspec.ValidationError as refusal:
            return read_leniently(_object(text, refusal), kind)
    except UnicodeDecodeError as error:
        raise _bad(f"is not UTF-8 (byte {error.start})") from None
    except RecursionError:
        raise _bad("is nested too deeply") from None
    except msgspec.ValidationError as error:
        raise ChatError("bad_request", error_text(error)) from None
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise _bad(f"is not JSON: {error}") from None


def _object(text: str, refusal: msgspec.ValidationError) -> Any:  # noqa: ANN401 - any JSON
    """Return the JSON object that was refused as a command, or null."""
    try:
        data = msgspec.json.decode(text)
    except msgspec.ValidationError:
        raise refusal from None  # a number out of range: the refusal names its field
    if data is not None and not isinstance(data, dict):
        raise _bad("is not a JSON object")
    return data


def _bad(what: str) -> ChatError:
    return ChatError("bad_request", f"the body {what}")


def _check_encoding(request: Request) -> None:
    """Refuse compressed bodies, and character sets that would be read as other characters."""
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        message = "send the body without `Content-Encoding`"
        headers = {"Accept-Encoding": "identity"}
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message, headers)
    _, _, parameters = request.headers.get("content-type", "").partition(";")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip(' "').lower() not in CHARSETS:
            message = "send the body as UTF-8"
            raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message)


async def _receive(request: Request) -> bytes:
    max_bytes = request.app.state.gateway.settings.max_frame
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > max_bytes:
                    raise ChatError("too_long", f"a body has at most {max_bytes} bytes")
    except TimeoutError:
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT) from None
    return bytes(body)
