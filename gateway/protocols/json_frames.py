"""JSON in text frames: subprotocol `chat.json`, and what a client without one speaks."""

import msgspec

from gateway.protocols.frames import StructFormat

JSON = StructFormat(
    "chat.json",
    text=True,
    nothing=b"null",
    decoder=msgspec.json.Decoder,
    encode=msgspec.json.Encoder().encode,
)
