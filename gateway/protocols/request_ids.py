"""Ids of requests, also of those whose frames cannot be read."""

import json
import re
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

MAX_TOKENS: Final = 1_000
"""Texts and runs of brackets that are read of a JSON frame. A frame of a client has far fewer."""

MAX_FIELDS: Final = 64
"""Fields that are read of a MessagePack frame."""

_OBJECT: Final = re.compile(rb"\s*+\{")
# Possessive, so that no frame makes it go back over what it has read.
_TOKEN: Final = re.compile(
    rb"""
    [^"\[\]{}]*+
    (?:"id"\s*+:\s*+(?P<id>-?[0-9]++[0-9.eE+-]*+(?=\s*+[,}])|"(?:[^"\\]++|\\.)*+")
    |"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)
    |(?P<open>[\[{]++)
    |(?P<close>[\]}]++)
    )""",
    re.VERBOSE | re.DOTALL,
)
_MAPS: Final = frozenset({*range(0x80, 0x90), 0xDE, 0xDF})
"""First bytes of MessagePack maps. No JSON object begins with one."""

_SCALARS: Final = frozenset(
    {*range(0x80), *range(0xA0, 0xC0), *range(0xCA, 0xD4), 0xD9, 0xDA, 0xDB, *range(0xE0, 0x100)}
)
"""First bytes of MessagePack numbers and texts."""


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


def _json_id(data: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return the last `id` in the outer object, as a parser would."""
    found, depth = None, 0
    if not _OBJECT.match(data):
        return None
    at = 0
    for _ in range(MAX_TOKENS):
        # Matched where the last one ended, never searched for: a search would begin again at each
        # byte of what is behind the last token.
        if (token := _TOKEN.match(data, at)) is None:
            break
        at = token.end()
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
            if _unpack_scalar(fields, data) == "id":
                return _unpack_scalar(fields, data)
            fields.skip()
    except (ValueError, TypeError, OverflowError, IndexError, msgpack.UnpackException):
        pass  # what is behind the fault cannot be told apart
    return None


def _unpack_scalar(fields: msgpack.Unpacker, data: bytes) -> Any:  # noqa: ANN401 - any value
    """Return the next value if it is a number or a text; else skip it, and return None.

    A key or an id that is a list of extension types would take 20 ms to build.
    """
    if data[fields.tell()] in _SCALARS:
        return fields.unpack()
    fields.skip()
    return None
