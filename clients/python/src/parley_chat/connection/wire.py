"""Wire formats: frames as JSON or MessagePack."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import msgpack

Data: TypeAlias = Any
"""A JSON value: object, list, string, number, boolean or null."""

WireName = Literal["json", "msgpack"]


class Frame(NamedTuple):
    """A frame from the server."""

    event: str
    data: Data = None
    id: int | None = None
    room: str | None = None
    chat_id: int | None = None
    users: Data = None


class BadFrame(ValueError):
    """Bytes that are not a frame; the text says what is wrong with them."""


@dataclass(frozen=True, slots=True)
class Wire:
    """A wire format.

    Attributes:
        subprotocol: Its name in the handshake of the WebSocket.
    """

    subprotocol: str
    _dump: Callable[[object], str | bytes]
    _load: Callable[[str | bytes], object]

    def encode(self, frame: Mapping[str, object]) -> str | bytes:
        """Encode a frame.

        Raises:
            ValueError, TypeError: its data cannot be encoded in this format.
        """
        return self._dump(frame)

    def size(self, encoded: str | bytes) -> int:
        """Return the bytes of an encoded frame."""
        return len(encoded.encode() if isinstance(encoded, str) else encoded)

    def decode(self, data: str | bytes) -> Frame:
        """Decode a frame.

        Raises:
            BadFrame: the bytes are not a frame.
        """
        try:
            loaded = self._load(data)
        except (ValueError, TypeError) as error:
            raise BadFrame(f"not readable: {error}") from None
        if not isinstance(loaded, dict) or not isinstance(loaded.get("event"), str):
            raise BadFrame("not an object with an event")
        get = loaded.get
        return Frame(
            loaded["event"], get("data"), get("id"), get("room"), get("chatId"), get("users")
        )


def _dump_json(frame: object) -> str:
    text = json.dumps(frame, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text.encode()  # half of a surrogate pair fails for the caller, not for the connection
    return text


def _load_msgpack(data: str | bytes) -> object:
    if isinstance(data, str):
        raise BadFrame("a text frame among MessagePack")
    return msgpack.unpackb(data)


WIRES: Final[Mapping[WireName, Wire]] = {
    "json": Wire("chat.json", _dump_json, json.loads),
    "msgpack": Wire("chat.msgpack", msgpack.packb, _load_msgpack),
}
