"""The protocol's events as those of Socket.IO: what stands in which argument.

An event's payload is its first argument, as Socket.IO frontends expect it. What a native frame says
beside its data, the room or the chat, is put into the payload if that is an object, and else is an
argument of its own, `{room}` or `{chatId}`. An event of a room's log ends with its offset. For
clients whose handlers take no further argument there are neither.
"""

from typing import Any, Final

import msgspec
from msgspec import UNSET

from gateway.protocols.frames import Frame, Outgoing, StructFormat
from gateway.protocols.socketio.decoder import SocketPacket
from gateway.protocols.websocket_frames import TEXT, frame
from shared.errors import ChatError
from shared.model.commands import Command

_encode: Final = msgspec.json.Encoder().encode
_NOTHING: Final = msgspec.Raw(b"")


class _BinaryFrame(Frame, frozen=True):
    """A frame with attachments, which no event of ours takes."""


class SocketIOFormat(StructFormat):
    """Frames with Engine.IO packets in them: `42["message",{...},"offset"]`."""

    def __init__(self, name: str, *, bare: bool) -> None:
        """Compose the format.

        Args:
            name: for logs.
            bare: an event has its payload as its only argument.
        """
        super().__init__(
            name, text=True, nothing=b"null", decoder=msgspec.json.Decoder, encode=_encode
        )
        self._bare = bare

    def parse(self, data: Any) -> Frame:  # noqa: ANN401 - as Format has it
        """Take an event of a client; arguments after the first say nothing here."""
        packet: SocketPacket = data
        kind = _BinaryFrame if packet.attachments else Frame
        return kind(packet.name, packet.arguments[0] if packet.arguments else _NOTHING, packet.id)

    def command(self, asked: Frame, kind: type[Command]) -> Command:
        """Read the data of an event as a command."""
        if isinstance(asked, _BinaryFrame):
            raise ChatError("bad_request", "there is binary data where none is expected")
        return super().command(asked, kind)

    def pack(self, outgoing: Outgoing, offset: str = "") -> bytes:
        """Write a text frame of a WebSocket; who polls gets what is in it."""
        return frame(TEXT, self._packet(outgoing, offset))

    def encode(self, outgoing: Outgoing) -> bytes:
        """Write a frame's payload."""
        return self._packet(outgoing, "")

    def _packet(self, outgoing: Outgoing, offset: str) -> bytes:
        """Write an event; a reply or an error as the acknowledgement of what it answers."""
        if outgoing.id is not UNSET:
            answer = {"error": outgoing.data} if outgoing.event == "error" else outgoing.data
            return f"43{outgoing.id}[".encode() + _encode(answer) + b"]"
        if outgoing.event == "error":
            return b'42["exception",%b]' % _encode({"status": "error", **outgoing.data})
        payload, place = _encode(outgoing.data), _place(outgoing)
        if place and payload.startswith(b"{"):
            payload = b"%b,%b}" % (payload[:-1], place)
        elif place and not self._bare:
            payload = b"%b,{%b}" % (payload, place)
        if offset and not self._bare:
            return b'42["%b",%b,"%b"]' % (outgoing.event.encode(), payload, offset.encode())
        return b'42["%b",%b]' % (outgoing.event.encode(), payload)


def _place(outgoing: Outgoing) -> bytes:
    """The room or the chat as a member of an object, where the payload does not have it."""
    if outgoing.room is not UNSET and not hasattr(outgoing.data, "room"):
        return b'"room":' + _encode(outgoing.room)
    if outgoing.chat_id is not UNSET and not hasattr(outgoing.data, "chat_id"):
        return b'"chatId":%d' % outgoing.chat_id
    return b""


SOCKETIO: Final = SocketIOFormat("socket.io", bare=False)
SOCKETIO_BARE: Final = SocketIOFormat("socket.io, recovery=0", bare=True)
