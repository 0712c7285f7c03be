"""Envelope <-> MessagePack bytes, with a version in front."""

from typing import Any, Final

import msgspec

from shared.model.events import ENVELOPE_VERSION, KNOWN_TAGS, Body, Event, Unknown

VERSION: Final = ENVELOPE_VERSION

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Event)
# An envelope whose body this build does not know begins its body with a tag.
_frame = msgspec.msgpack.Decoder(
    tuple[int, int, int, int, int, int, list[Any]]  # the fields of Event, in their order
)


class CodecError(ValueError):
    """Bytes that are no envelope of a version this build reads."""


def encode_body(body: Body) -> bytes:
    """The part of an envelope that a gateway writes; the publish script writes the rest."""
    return _encoder.encode(body)


def encode(event: Event) -> bytes:
    """A whole envelope."""
    return _encoder.encode(event)


def signal(body: Body, created_at: int = 0, room_id: int = 0) -> bytes:
    """A whole envelope for something that is not kept: it has no id and no place in a room."""
    return _encoder.encode(Event(VERSION, room_id, 0, 0, 0, created_at, body))


def decode(data: bytes) -> Event:
    """Read an envelope. One whose body a newer build wrote keeps its place, as Unknown.

    Raises:
        CodecError: the bytes are not an envelope, or of another version.
    """
    try:
        event = _decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        event = _unknown(data, error)
    if event.version != VERSION:
        raise CodecError(f"envelope of version {event.version}, this build reads {VERSION}")
    return event


def _unknown(data: bytes, error: Exception) -> Event:
    try:
        version, room_id, event_id, seq, prev, created_at, body = _frame.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise CodecError(f"not an envelope of version {VERSION}: {error}") from None
    if not body or not isinstance(body[0], str) or body[0] in KNOWN_TAGS:
        raise CodecError(f"not an envelope of version {VERSION}: {error}")
    return Event(version, room_id, event_id, seq, prev, created_at, Unknown(body[0]))
