"""The wire format of Socket.IO clients: the chat's events as Socket.IO events.

The payload of an event is its first argument, as Socket.IO frontends expect. A native frame has the
room or the chat beside its data. Here it is put into the payload if that is an object, and else
follows as an argument of its own, `{room}` or `{chatId}`. An event of a room's log has its offset
as the last argument. The bare format leaves both arguments out, for clients whose handlers take the
payload only. `users`, beside the data of `typing`, is left out: no Socket.IO server would send it.
"""

from typing import Any, Final

import msgspec
from msgspec import UNSET

from gateway.protocols.frames import Frame, Outgoing, StructFormat
from gateway.protocols.request_ids import RequestId
from gateway.protocols.socketio.decoder import SocketPacket
from gateway.protocols.websocket_frames import TEXT, frame
from shared.errors import ChatError
from shared.model.commands import Command

_encode: Final = msgspec.json.Encoder().encode
_NO_DATA: Final = msgspec.Raw(b"")


class _BinaryFrame(Frame, frozen=True):
    """A frame with attachments, which no action accepts."""


class SocketIOFormat(StructFormat):
    """Frames that hold Engine.IO packets: `42["message",{...},"offset"]`."""

    def __init__(self, name: str, *, bare: bool) -> None:
        """Create the format.

        Args:
            name: the format's name in metrics.
            bare: True if the payload is the only argument of an event.
        """
        super().__init__(
            name, text=True, null=b"null", decoder=msgspec.json.Decoder, encode=_encode
        )
        self._bare = bare

    def parse(self, data: Any) -> Frame:  # noqa: ANN401 - as Format has it
        """Read an event of a client. Arguments after the first are ignored."""
        packet: SocketPacket = data
        if packet.fault:
            raise ChatError("bad_frame", packet.fault)
        kind = _BinaryFrame if packet.attachments else Frame
        return kind(packet.name, packet.arguments[0] if packet.arguments else _NO_DATA, packet.id)

    def request_id(self, data: Any) -> RequestId | None:  # noqa: ANN401 - as Format has it
        """Return the id of the acknowledgement that the event asks for."""
        packet: SocketPacket = data
        return packet.id

    def command(self, received: Frame, kind: type[Command]) -> Command:
        """Read the data of an event as a command."""
        if isinstance(received, _BinaryFrame):
            raise ChatError("bad_request", "binary data is not accepted here")
        return super().command(received, kind)

    def pack(self, outgoing: Outgoing, offset: str = "") -> bytes:
        """Encode an event in a WebSocket text frame. Polling answers have its content only."""
        return frame(TEXT, self._packet(outgoing, offset))

    def encode(self, outgoing: Outgoing) -> bytes:
        """Encode an event, without a WebSocket header."""
        return self._packet(outgoing, "")

    def _packet(self, outgoing: Outgoing, offset: str) -> bytes:
        """Write an event, or a reply or an error as the acknowledgement of the event it answers."""
        if outgoing.id is not UNSET:
            answer = {"error": outgoing.data} if outgoing.event == "error" else outgoing.data
            return f"43{outgoing.id}[".encode() + _encode(answer) + b"]"
        if outgoing.event == "error":
            return b'42["exception",%b]' % _encode({"status": "error", **outgoing.data})
        payload, place = _encode(outgoing.data), _place_member(outgoing)
        if place and payload.startswith(b"{"):
            payload = b"%b,%b}" % (payload[:-1], place)
        elif place and not self._bare:
            payload = b"%b,{%b}" % (payload, place)
        if offset and not self._bare:
            return b'42["%b",%b,"%b"]' % (outgoing.event.encode(), payload, offset.encode())
        return b'42["%b",%b]' % (outgoing.event.encode(), payload)


def _place_member(outgoing: Outgoing) -> bytes:
    """Return the room or chat as a member of a JSON object, unless the payload has it."""
    if outgoing.room is not UNSET and not hasattr(outgoing.data, "room"):
        return b'"room":' + _encode(outgoing.room)
    if outgoing.chat_id is not UNSET and not hasattr(outgoing.data, "chat_id"):
        return b'"chatId":%d' % outgoing.chat_id
    return b""


SOCKETIO: Final = SocketIOFormat("socket.io", bare=False)
SOCKETIO_BARE: Final = SocketIOFormat("socket.io, recovery=0", bare=True)
