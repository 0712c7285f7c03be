"""Ids of requests, also of those whose frames cannot be read."""

import json
import re
from itertools import islice
from typing import Annotated, Any, Final

import msgpack
import msgspec
from msgspec import Meta

from shared.model.ids import TOP
from shared.protocol.limits import MAX_REQUEST_ID_CHARACTERS

RequestId = (
    Annotated[int, Meta(ge=-TOP, le=TOP)]
    | Annotated[str, Meta(max_length=MAX_REQUEST_ID_CHARACTERS)]
)

MAX_TOKENS: Final = 10_000
"""Texts and runs of brackets that are read of a JSON frame. A frame of a client has far fewer."""

MAX_FIELDS: Final = 64
"""Fields that are read of a MessagePack frame."""

_OBJECT: Final = re.compile(rb"\s*+\{")
# Possessive, so that no frame makes it go back over what it has read.
_TOKEN: Final = re.compile(
    rb"""
    "id"\s*+:\s*+(?P<id>-?[0-9]++[0-9.eE+-]*+(?=\s*+[,}])|"(?:[^"\\]++|\\.)*+")
    |"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)
    |(?P<open>[\[{]++)
    |(?P<close>[\]}]++)
    """,
    re.VERBOSE | re.DOTALL,
)
_MAPS: Final = frozenset({*range(0x80, 0x90), 0xDE, 0xDF})
"""First bytes of MessagePack maps. No JSON object begins with one."""


def find_id(data: bytes) -> RequestId | None:
    """Find the id of a frame that cannot be read, so that its sender learns which one was refused.

    Args:
        data: JSON or MessagePack, whatever is wrong with it.

    Returns:
        The id; None if there is none, or if it is what is wrong.
    """
    found = _msgpack_id(data) if data[:1] and data[0] in _MAPS else _json_id(data)
    try:
        checked: RequestId = msgspec.convert(whole(found), RequestId)
        if isinstance(checked, str):
            checked.encode()  # fails for half of a surrogate pair, which no answer could carry
    except (msgspec.ValidationError, UnicodeEncodeError):
        return None
    return checked


def whole(value: Any) -> Any:  # noqa: ANN401 - any value
    """Return an integer for a float without a fraction, as clients write that have floats only.

    From 2^53 on the float may stand for other integers, too.
    """
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < TOP
    return int(value) if is_whole else value


def is_fault_in_data(data: bytes) -> bool:
    """Return True for a JSON frame that only has half of a surrogate pair somewhere in `data`.

    The grammar of JSON allows that (RFC 8259, section 8.2), so the standard library reads it.
    msgspec does not, nor could any database store it.
    """
    if not _SURROGATE.search(data):
        return False
    try:
        loaded = json.loads(data)
        msgspec.convert({**loaded, "data": None}, _Envelope)
        json.dumps([loaded["event"], loaded.get("id")], ensure_ascii=False).encode()
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
    return True


_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


class _Envelope(msgspec.Struct):
    event: str
    id: RequestId | None = None


def _json_id(data: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return the last `id` in the outer object, as a parser would."""
    found, depth = None, 0
    if not _OBJECT.match(data):
        return None
    for token in islice(_TOKEN.finditer(data), MAX_TOKENS):
        depth += len(token["open"] or b"") - len(token["close"] or b"")
        if depth <= 0:
            break
        if depth == 1 and token["id"]:
            found = token["id"]
    try:
        return None if found is None else json.loads(found, strict=False)
    except ValueError:  # also a number of thousands of digits
        return None


def _msgpack_id(data: bytes) -> Any:  # noqa: ANN401 - any value
    """Return the `id` in the outer map, if what is before it can be skipped."""
    fields = msgpack.Unpacker(
        max_buffer_size=len(data), strict_map_key=False, unicode_errors="surrogateescape"
    )
    fields.feed(data)
    try:
        for _ in range(min(fields.read_map_header(), MAX_FIELDS)):
            if fields.unpack() == "id":
                return fields.unpack()
            fields.skip()
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException):
        pass  # what is behind the fault cannot be told apart
    return None
