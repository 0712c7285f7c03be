"""One Engine.IO 4 session: its transports, its heartbeat and what it has not sent yet.

Without I/O and without a clock: whoever does the I/O tells it what arrived and what time it is
(seconds of a monotonic clock), sends what it hands out, and calls `tick` once `deadline` is past.
After any call a pending poll may have its answer (`answer`), and a WebSocket frames to write
(`take`).

Source: socket.io/docs/v4/engine-io-protocol, and the reference server where that is silent.
"""

import math
from collections import deque

from gateway.protocols.engineio.errors import Transport
from gateway.protocols.engineio.heartbeat import Heartbeat
from gateway.protocols.engineio.packets import (
    CLOSE,
    NOOP,
    PING,
    PROBE,
    PROBED,
    Binary,
    Handshake,
    Packet,
    PacketError,
    PacketType,
    encode_payload,
)
from gateway.protocols.engineio.settings import (
    LINGER_SECONDS,
    NOOP_DELAY_SECONDS,
    PACKET_OVERHEAD_BYTES,
    EngineSettings,
)


class EngineProtocol:
    """A session.

    Attributes:
        sid: its id.
        transport: what carries it now.
        closed: why it has ended, in the reference server's words; empty while it lives.
        polled: whether a poll waits for `answer`.
        posting: whether a POST is under way.
        unsent: bytes that wait to be sent, with what it costs to keep them.
        expires: when it ends by itself; the application's to set.
        pings: sent so far.
        pongs: pings that were answered: whoever answers one has all that was sent before it.
    """

    __slots__ = (
        "_heartbeat",
        "_last_word",
        "_noop_at",
        "_outbox",
        "_probed",
        "_settings",
        "_upgrade_by",
        "closed",
        "expires",
        "pings",
        "polled",
        "pongs",
        "posting",
        "sid",
        "transport",
        "unsent",
    )

    def __init__(
        self, sid: str, transport: Transport, settings: EngineSettings, now: float
    ) -> None:
        self.sid = sid
        self.transport: Transport = transport
        self.closed = ""
        self.polled = False
        self.posting = False
        self.unsent = 0
        self.expires = math.inf
        self.pings = 0
        self.pongs = 0
        self._settings = settings
        self._outbox: deque[bytes] = deque()
        self._last_word = b""
        self._upgrade_by = math.inf
        self._probed = False
        self._noop_at = math.inf
        self._heartbeat = Heartbeat(settings, now)
        self._put(self._handshake())

    @property
    def upgrading(self) -> bool:
        """Whether a WebSocket is about to take over."""
        return self._upgrade_by < math.inf

    @property
    def gone(self) -> bool:
        """Whether it has ended and its client knows or never will: forget it."""
        return bool(self.closed) and not self._last_word and not self.polled

    @property
    def deadline(self) -> float:
        """When to call `tick`, unless something happens before."""
        noop_at = self._noop_at if self.polled else math.inf
        return min(self._heartbeat.deadline, self._upgrade_by, self.expires, noop_at)

    def send(self, packet: bytes) -> None:
        """Send a finished packet, or close a session whose client does not read.

        Args:
            packet: a text packet with its type (`b"4hello"`), or `Binary`.
        """
        if self.closed:
            return
        if self.unsent > self._settings.max_unsent:  # which one large packet by itself is not
            self.take()
            self.fail("transport error")
            return
        self._put(packet)

    def take(self) -> list[bytes]:
        """Take all packets that wait: for a WebSocket, which sends each in a message."""
        packets = list(self._outbox)
        self._outbox.clear()
        self.unsent = 0
        return packets

    def receive(self, packet: Packet, now: float) -> str | Binary | None:
        """Take a packet of the client on its transport.

        Returns:
            A message for the application, or None.

        Raises:
            PacketError: it may not come here; the session is closed, if it was not before.
        """
        if self.closed:
            raise PacketError("the session has ended")
        if self._heartbeat.pong_by < math.inf:
            self._heartbeat.received(packet.type, now)
        if packet.type is PacketType.PONG:
            self.pongs = self.pings
        if packet.type is PacketType.CLOSE:
            self._end("transport close", NOOP if self.polled else b"")
        elif packet.type is PacketType.PING:
            self.fail("transport error")
            raise PacketError("only the server sends pings")
        return packet.data if packet.type is PacketType.MESSAGE else None

    def poll(self, now: float) -> None:
        """Take a GET; it waits until `answer` has something.

        Raises:
            PacketError: another waits; the session is closed.
        """
        if self.polled:
            self.fail("transport error")
            raise PacketError("a second poll")
        self.polled = True
        if self._probed:
            self._noop_at = now + NOOP_DELAY_SECONDS

    def answer(self, now: float) -> bytes | None:
        """The body of the answer to the poll that waits, if there is a poll and an answer."""
        if not self.polled:
            return None
        packets = self.take()
        if self.closed and packets and self._last_word:
            # It comes with the next poll: a client that reads both at once is closed before it
            # has handled what came first.
            self.expires = min(self.expires, now + LINGER_SECONDS)
        elif self.closed:
            if not self._last_word:
                return None
            packets.append(self._last_word)
            self._last_word = b""
        elif not packets:
            if now < self._noop_at:
                return None
            packets.append(NOOP)
        self.polled = False
        return encode_payload(packets)

    def poll_lost(self) -> None:
        """The client hung up on a poll: what it may have been sent is unknown, so all ends."""
        self.polled = False
        self._end("transport close", b"")

    def post(self) -> None:
        """Take a POST, until `posting` is unset.

        Raises:
            PacketError: another is under way; the session is closed, if it was not before.
        """
        if self.closed:
            raise PacketError("the session has ended")
        if self.posting:
            self.fail("transport error")
            raise PacketError("a second POST")
        self.posting = True

    def begin_upgrade(self, now: float) -> bool:
        """A WebSocket came with this sid: whether it may take over. If not, it is to be closed."""
        if self.closed or self.upgrading or self.transport == "websocket":
            return False
        self._upgrade_by = now + self._settings.upgrade_timeout / 1000
        return True

    def upgrade(self, packet: Packet, now: float) -> bytes | None:
        """Take a packet of the WebSocket that is about to take over.

        Returns:
            What to send on it; None once it has taken over.

        Raises:
            PacketError: it is to be closed; the session goes on without it.
        """
        if not self.upgrading:
            raise PacketError("the upgrade took too long")
        if packet == Packet(PacketType.PING, PROBE) and not self._probed:
            self._probed = True
            self._noop_at = now + NOOP_DELAY_SECONDS
            return PROBED
        if packet.type is PacketType.UPGRADE and self._probed:
            self._upgraded(now)
            return None
        raise PacketError("not the packet of an upgrade")

    def upgrade_failed(self) -> None:
        """The WebSocket that was about to take over is lost; polling goes on."""
        self._end_upgrade()

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self.closed:
            if now >= self.expires:
                self._last_word = b""
        elif now >= self.expires:
            self.close(now)
        elif now >= self._heartbeat.pong_by:
            self.fail("ping timeout")
        else:
            if now >= self._upgrade_by:
                self.upgrade_failed()
            if now >= self._heartbeat.ping_at:
                self._heartbeat.pinged(now)
                self.pings += 1
                self._put(PING)

    def close(self, now: float, reason: str = "forced close") -> None:
        """End it from this side; what waits, and a close packet, go out with the next poll."""
        if not self.closed:
            self._end(reason, CLOSE)
            self.expires = now + LINGER_SECONDS

    def fail(self, reason: str) -> None:
        """End it at once: only a poll that waits is told."""
        self._end(reason, CLOSE if self.polled else b"")

    def _end(self, reason: str, last_word: bytes) -> None:
        if self.closed:
            return
        self.closed = reason
        self._last_word = last_word if self.transport == "polling" else b""
        self._end_upgrade()
        self._heartbeat.end()
        self.expires = math.inf

    def _end_upgrade(self) -> None:
        self._upgrade_by = self._noop_at = math.inf
        self._probed = False

    def _upgraded(self, now: float) -> None:
        self.transport = "websocket"
        self._end_upgrade()
        self.polled = False
        self._heartbeat.begin(now)  # it lives, and an earlier ping may never have been read

    def _put(self, packet: bytes) -> None:
        self._outbox.append(packet)
        self.unsent += len(packet) + PACKET_OVERHEAD_BYTES

    def _handshake(self) -> bytes:
        upgrades = ("websocket",) if self.transport == "polling" else ()
        told = self._settings
        times = (told.ping_interval, told.ping_timeout)
        return Handshake(self.sid, upgrades, *times, told.max_payload).packet()
