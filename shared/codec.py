"""Encoding and decoding of envelopes as MessagePack, with the format as first element."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from shared.model import formats
from shared.model.events import KNOWN_TAGS, Body, Event, Unknown

READABLE: Final = frozenset({formats.LEGACY, *range(formats.OLDEST, formats.NEWEST + 1)})
"""Formats of envelopes that this build reads."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Event)
# For an envelope whose body this build does not know: an array that begins with a tag.
_frame = msgspec.msgpack.Decoder(
    tuple[int, int, int, int, int, int, list[Any]]  # the fields of Event, in their order
)


class CodecError(ValueError):
    """The bytes are not an envelope in a format that this build reads."""


encode_body: Final[Callable[[Body], bytes]] = _encoder.encode
"""Encode the body of an envelope. `publish.lua` puts the head in front of it."""


def encode(event: Event) -> bytes:
    """Encode a whole envelope, in the format that it names."""
    return _encoder.encode(event)


def signal(body: Body, written_in: int, created_at: int = 0, room_id: int = 0) -> bytes:
    """Encode a whole envelope of a signal, which has no id and no seq.

    Args:
        body: the signal.
        written_in: the format.
        created_at: milliseconds since 1970.
        room_id: the room that it is about; 0 for none.
    """
    return encode(Event(written_in, room_id, 0, 0, 0, created_at, body))


def decode(data: bytes) -> Event:
    """Decode an envelope. A body of a kind that only newer builds know becomes Unknown.

    The envelope keeps its seq and prev, so clients see no gap at an event that this build cannot
    read.

    Raises:
        CodecError: the bytes are not an envelope, or of a format that this build does not read.
    """
    try:
        event = _decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        event = _unknown(data, error)
    if event.format not in READABLE:
        raise CodecError(f"envelope of format {event.format}, which this build does not read")
    return event


def _unknown(data: bytes, error: Exception) -> Event:
    try:
        written_in, room_id, event_id, seq, prev, created_at, body = _frame.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise CodecError(f"not an envelope: {error}") from None
    if not body or not isinstance(body[0], str) or body[0] in KNOWN_TAGS:
        raise CodecError(f"not an envelope: {error}")
    return Event(written_in, room_id, event_id, seq, prev, created_at, Unknown(body[0]))
