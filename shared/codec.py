"""Envelope <-> MessagePack bytes, with a version in front."""

from typing import Final

import msgspec

from shared.model.events import Body, Event

VERSION: Final = 1

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Event)


class CodecError(ValueError):
    """Bytes that are no envelope of a version this build reads."""


def encode_body(body: Body) -> bytes:
    """The part of an envelope that a gateway writes; the publish script writes the rest."""
    return _encoder.encode(body)


def encode(event: Event) -> bytes:
    """A whole envelope."""
    return _encoder.encode(event)


def signal(body: Body, created_at: int = 0) -> bytes:
    """A whole envelope for something that is not kept: it has no id and no place in a room."""
    return _encoder.encode(Event(VERSION, 0, 0, 0, 0, created_at, body))


def decode(data: bytes) -> Event:
    """Read an envelope.

    Raises:
        CodecError: the bytes are not an envelope, or of another version.
    """
    try:
        event = _decoder.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise CodecError(f"not an envelope of version {VERSION}: {error}") from None
    if event.version != VERSION:
        raise CodecError(f"envelope of version {event.version}, this build reads {VERSION}")
    return event
