"""JSON in text frames: subprotocol `chat.json`, also used for clients that name none."""

import msgspec

from gateway.protocols.frames import StructFormat

JSON = StructFormat(
    "chat.json",
    text=True,
    null=b"null",
    decoder=msgspec.json.Decoder,
    encode=msgspec.json.Encoder().encode,
)
