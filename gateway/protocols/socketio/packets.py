"""The encoder of Socket.IO 5 packets (socket.io/docs/v4/socket-io-protocol), without I/O.

A packet is a list of finished Engine.IO packets: first the text, which begins with `4`, then the
attachments. An event without binary data is one of them, and its bytes are the same for all
clients, on either transport.
"""

from enum import StrEnum
from typing import Any, Final

import msgspec

from gateway.protocols.engineio.packets import Binary, PacketType

MAIN: Final = "/"
"""The main namespace. Packets leave it out."""

MESSAGE: Final = PacketType.MESSAGE.encode()

RESERVED_EVENTS: Final = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)
"""Names with a meaning of their own in client libraries, which no event may have."""


class Kind(StrEnum):
    """The type of a packet; its value is the digit on the wire."""

    CONNECT = "0"
    DISCONNECT = "1"
    EVENT = "2"
    ACK = "3"
    CONNECT_ERROR = "4"
    BINARY_EVENT = "5"
    BINARY_ACK = "6"


_BINARY: Final = {Kind.EVENT: Kind.BINARY_EVENT, Kind.ACK: Kind.BINARY_ACK}


def encode_event(
    name: str, arguments: list[Any], *, namespace: str = MAIN, ack_id: int | None = None
) -> list[bytes]:
    """Write an event.

    Args:
        name: the event's name.
        arguments: values that msgspec writes as JSON (also structs and `msgspec.Raw`), with
            `Binary` anywhere in them.
        namespace: begins with a slash and has no comma.
        ack_id: the id of the acknowledgement that the event asks for; None for none.

    Returns:
        The Engine.IO packets: `b'42["name",...]'`, then the attachments.
    """
    return encode(Kind.EVENT, [name, *arguments], namespace=namespace, ack_id=ack_id)


def encode_ack(ack_id: int, arguments: list[Any], *, namespace: str = MAIN) -> list[bytes]:
    """Write the acknowledgement of the event with this id. Arguments are as of an event."""
    return encode(Kind.ACK, arguments, namespace=namespace, ack_id=ack_id)


def encode_connect(namespace: str, payload: dict[str, Any]) -> bytes:
    """Write the answer to a CONNECT: `{sid}`, with `pid` if the session can be recovered."""
    return encode(Kind.CONNECT, payload, namespace=namespace)[0]


def encode_connect_error(namespace: str, message: str, data: Any = None) -> bytes:  # noqa: ANN401
    """Write the refusal of a CONNECT: `{message}`, with the application's `data` if not None."""
    payload = {"message": message} if data is None else {"message": message, "data": data}
    return encode(Kind.CONNECT_ERROR, payload, namespace=namespace)[0]


def encode_disconnect(namespace: str) -> bytes:
    """Write a DISCONNECT from a namespace."""
    return _head(Kind.DISCONNECT, namespace, None)


def encode(
    kind: Kind,
    payload: Any,  # noqa: ANN401 - any JSON, and binary in it
    *,
    namespace: str = MAIN,
    ack_id: int | None = None,
) -> list[bytes]:
    """Write a packet with a payload. An EVENT or ACK with `Binary` in it becomes a binary one."""
    attachments: list[bytes] = []

    def replace(value: Any) -> Any:  # noqa: ANN401 - whatever msgspec does not know
        if not isinstance(value, Binary):
            raise TypeError(f"a {type(value).__name__} cannot be written into a packet")
        attachments.append(value)
        return {"_placeholder": True, "num": len(attachments) - 1}

    text = msgspec.json.encode(payload, enc_hook=replace)
    if attachments:
        kind = _BINARY[kind]
    return [_head(kind, namespace, ack_id, len(attachments)) + text, *attachments]


def _head(kind: Kind, namespace: str, ack_id: int | None, attachments: int = 0) -> bytes:
    count = f"{attachments}-" if attachments else ""
    place = f"{namespace}," if namespace != MAIN else ""
    number = "" if ack_id is None else ack_id
    return MESSAGE + f"{kind.value}{count}{place}{number}".encode()
