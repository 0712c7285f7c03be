"""MessagePack in binary frames: subprotocol `chat.msgpack`."""

import msgspec

from gateway.protocols.frames import StructFormat

MSGPACK = StructFormat(
    "chat.msgpack",
    text=False,
    null=b"\xc0",
    decoder=msgspec.msgpack.Decoder,
    encode=msgspec.msgpack.Encoder().encode,
)
