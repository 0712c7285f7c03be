"""The Socket.IO 5 side of one session: who is connected to which namespace, without I/O.

What the client sends goes into `SocketIOSession.receive`; the protocol's own rules are checked
there. What is left comes out as a `Happening` for the application, which answers through the
`Socket` it is about: `accept` or `refuse`, `emit`, `acknowledge`, `disconnect`.

Source: socket.io/docs/v4/socket-io-protocol, and the reference server where that is silent.
"""

import secrets
from collections.abc import Callable, Container
from typing import Any, Final, Literal, NamedTuple

from gateway.protocols.engineio.packets import Binary, PacketError
from gateway.protocols.socketio.decoder import Decoder, SocketPacket
from gateway.protocols.socketio.packets import (
    Kind,
    encode_ack,
    encode_connect,
    encode_connect_error,
    encode_disconnect,
    encode_event,
)

NAMESPACES: Final = frozenset({"/", "/custom"})
"""What the public suite connects to."""

MAX_NAMESPACES: Final = 64
"""Namespaces that one session may be connected to."""

MAX_AWAITED: Final = 1_000
"""Acknowledgements that may be awaited of one client in a namespace; the oldest is given up."""

OnAck = Callable[[list[Any] | None], None]
"""Takes the arguments of an acknowledgement; None if there will be none."""

Send = Callable[[bytes], None]


class Socket:
    """A session's connection to one namespace.

    Attributes:
        namespace: begins with a slash.
        sid: its id, which the client learns; not the session's.
        connected: whether it was accepted and has not ended.
        state: whatever the application keeps with it.
    """

    __slots__ = ("_acks", "_ended", "_next_ack", "_send", "connected", "namespace", "sid", "state")

    def __init__(self, namespace: str, send: Send) -> None:
        self.namespace = namespace
        self.sid = ""
        self.connected = False
        self.state: Any = None
        self._send = send
        self._acks: dict[int, OnAck] = {}
        self._next_ack = 0
        self._ended = False

    def accept(self, sid: str | None = None, **payload: Any) -> None:  # noqa: ANN401 - any JSON
        """Answer a CONNECT; `connected` says whether the client was still there.

        Args:
            sid: its id, where it had one before; else it gets one.
            payload: what the client is told beside it, such as `pid`.
        """
        if self._ended:
            return
        self.sid = sid or secrets.token_urlsafe(15)
        self.connected = True
        self._send(encode_connect(self.namespace, {"sid": self.sid, **payload}))

    def refuse(self, message: str, data: Any = None) -> None:  # noqa: ANN401 - any JSON
        """Answer a CONNECT with a CONNECT_ERROR: the client's `connect_error`, with `data`."""
        self._send(encode_connect_error(self.namespace, message, data))

    def emit(self, event: str, *arguments: Any, on_ack: OnAck | None = None) -> None:  # noqa: ANN401
        """Send an event, and `on_ack` what the client acknowledges it with."""
        ack_id = None if on_ack is None else self._await(on_ack)
        for frame in encode_event(event, [*arguments], namespace=self.namespace, ack_id=ack_id):
            self.send(frame)

    def send(self, frame: bytes) -> None:
        """Send one finished frame, as of an event that was encoded once for many clients."""
        if self.connected:
            self._send(frame)

    def acknowledge(self, ack_id: int | None, *arguments: Any) -> None:  # noqa: ANN401
        """Acknowledge an event; one that came without an id wants none."""
        if ack_id is not None:
            for frame in encode_ack(ack_id, [*arguments], namespace=self.namespace):
                self.send(frame)

    def acknowledged(self, ack_id: int, arguments: list[Any]) -> None:
        """Take an acknowledgement of the client; one that nobody awaits is dropped."""
        if on_ack := self._acks.pop(ack_id, None):
            on_ack(arguments)

    def end(self) -> None:
        """It has ended: nothing is sent any more, and no acknowledgement will come."""
        self.connected = False
        self._ended = True
        while self._acks:
            self._acks.pop(next(iter(self._acks)))(None)

    def _await(self, on_ack: OnAck) -> int:
        if len(self._acks) >= MAX_AWAITED:
            self._acks.pop(next(iter(self._acks)))(None)
        ack_id, self._next_ack = self._next_ack, self._next_ack + 1
        self._acks[ack_id] = on_ack
        return ack_id


class Happening(NamedTuple):
    """What the application is to do something about.

    Attributes:
        kind: `connect` is to be accepted or refused; the others are of a connected socket.
        socket: which it is about.
        packet: of a `connect`, `auth` is its payload; of an `event`, `name`, `arguments` as JSON,
            `values()` and the `id` to acknowledge it with.
    """

    kind: Literal["connect", "event", "disconnect"]
    socket: Socket
    packet: SocketPacket


class SocketIOSession:
    """A client's session.

    Attributes:
        sockets: by namespace; also those that are not accepted yet.
    """

    __slots__ = ("_decoder", "_send", "sockets")

    def __init__(self, send: Send, served: Container[str] = NAMESPACES) -> None:
        """Begin.

        Args:
            served: the namespaces of which packets are read.
            send: takes finished Engine.IO packets, in the order they are to arrive.
        """
        self.sockets: dict[str, Socket] = {}
        self._decoder = Decoder(served)
        self._send = send

    @property
    def connected(self) -> bool:
        """Whether it is connected to a namespace: one that is not for long is to be closed."""
        return any(socket.connected for socket in self.sockets.values())

    def receive(self, message: str | Binary) -> Happening | None:
        """Take an Engine.IO message of the client.

        Returns:
            What the application is to do something about, if there is anything. Acknowledgements
            have gone to whoever awaits them.

        Raises:
            PacketError: the connection is to be closed.
        """
        packet = self._decoder.feed(message)
        if packet is None:
            return None
        if packet.kind is Kind.CONNECT:
            return self._connect(packet)
        socket = self.sockets.get(packet.namespace)
        if socket is None or not socket.connected:
            raise PacketError("not connected to this namespace")
        if packet.kind is Kind.ACK:
            socket.acknowledged(packet.id or 0, packet.values())
            return None
        if packet.kind is Kind.DISCONNECT:
            self.forget(socket)
            return Happening("disconnect", socket, packet)
        return Happening("event", socket, packet)

    def disconnect(self, socket: Socket) -> None:
        """End a socket from this side; the client's sees `io server disconnect`."""
        if socket.connected:
            socket.send(encode_disconnect(socket.namespace))
            self.forget(socket)

    def forget(self, socket: Socket) -> None:
        """A socket was refused, or has ended; its client may connect to the namespace again."""
        socket.end()
        if self.sockets.get(socket.namespace) is socket:
            del self.sockets[socket.namespace]

    def end(self) -> list[Socket]:
        """The session has ended: the sockets that were connected until now."""
        ended = [socket for socket in self.sockets.values() if socket.connected]
        for socket in list(self.sockets.values()):
            self.forget(socket)
        return ended

    def _connect(self, packet: SocketPacket) -> Happening:
        if packet.namespace in self.sockets:
            raise PacketError("connected to this namespace already")
        if len(self.sockets) >= MAX_NAMESPACES:
            raise PacketError("connected to too many namespaces")
        socket = self.sockets[packet.namespace] = Socket(packet.namespace, self._send)
        return Happening("connect", socket, packet)
