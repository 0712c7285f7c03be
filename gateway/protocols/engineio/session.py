"""One Engine.IO 4 session: its transports, its heartbeat and its unsent packets.

It has no I/O and no clock. Its caller passes what was received and the time (seconds of a monotonic
clock), sends what the session returns, and calls `tick` once `deadline` is past. After any call
there may be an answer for the poll that waits (`answer`), or packets for the WebSocket (`take`).

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
    """The protocol's state of one session.

    Attributes:
        sid: the session's id.
        transport: the transport in use.
        closed: the reason of the end, in the reference server's words; empty before the end.
        poll_pending: True if a poll waits for `answer`.
        posting: True while a POST is handled.
        unsent: bytes that wait to be sent, with an overhead for each packet.
        expires: the time at which the session ends by itself, set by the application.
        pings: the number of pings sent.
        pongs: the number of the last ping that was answered. A client that has answered a ping
            has everything that was sent before it.
    """

    __slots__ = (
        "_final_packet",
        "_heartbeat",
        "_noop_at",
        "_outbox",
        "_probed",
        "_settings",
        "_upgrade_by",
        "closed",
        "expires",
        "pings",
        "poll_pending",
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
        self.poll_pending = False
        self.posting = False
        self.unsent = 0
        self.expires = math.inf
        self.pings = 0
        self.pongs = 0
        self._settings = settings
        self._outbox: deque[bytes] = deque()
        self._final_packet = b""
        self._upgrade_by = math.inf
        self._probed = False
        self._noop_at = math.inf
        self._heartbeat = Heartbeat(settings, now)
        self._put(self._handshake())

    @property
    def upgrading(self) -> bool:
        """True if a WebSocket is about to take over from polling."""
        return self._upgrade_by < math.inf

    @property
    def gone(self) -> bool:
        """True if the session has ended and has nothing left to send: it can be forgotten."""
        return bool(self.closed) and not self._final_packet and not self.poll_pending

    @property
    def deadline(self) -> float:
        """The time at which to call `tick`, unless another call comes first."""
        noop_at = self._noop_at if self.poll_pending else math.inf
        return min(self._heartbeat.deadline, self._upgrade_by, self.expires, noop_at)

    def send(self, *packets: bytes) -> None:
        """Queue finished packets, or end the session if its client does not read.

        Args:
            packets: text packets with their type (`b"4hello"`), or `Binary`.
        """
        if self.closed:
            return
        if self.unsent > self._settings.max_unsent:
            self.take()
            self.fail("transport error")
            return
        for packet in packets:
            self._put(packet)

    def take(self) -> list[bytes]:
        """Return all packets that wait, and forget them. A WebSocket sends each as a message."""
        packets = list(self._outbox)
        self._outbox.clear()
        self.unsent = 0
        return packets

    def receive(self, packet: Packet, now: float) -> str | Binary | None:
        """Handle a packet that came over the transport in use.

        Returns:
            A message for the application, or None.

        Raises:
            PacketError: the packet is out of place. The session has ended.
        """
        if self.closed:
            raise PacketError("the session has ended")
        if self._heartbeat.pong_by < math.inf:
            self._heartbeat.received(packet.type, now)
        if packet.type is PacketType.PONG:
            # Not `pongs + 1`: a ping may go unanswered, such as one that was sent in the middle of
            # an upgrade. Counted one by one, `pongs` would stay behind, and recovery would see all
            # later events as acknowledged too late.
            self.pongs = self.pings
        if packet.type is PacketType.CLOSE:
            self._end("transport close", NOOP if self.poll_pending else b"")
        elif packet.type is PacketType.PING:
            self.fail("transport error")
            raise PacketError("only the server sends pings")
        return packet.data if packet.type is PacketType.MESSAGE else None

    def poll(self, now: float) -> None:
        """Register a GET, which waits until `answer` returns its body.

        Raises:
            PacketError: another GET waits. The session has ended.
        """
        if self.poll_pending:
            self.fail("transport error")
            raise PacketError("a second poll while one waits")
        self.poll_pending = True
        if self._probed:
            self._noop_at = now + NOOP_DELAY_SECONDS

    def answer(self, now: float) -> bytes | None:
        """Return the body for the poll that waits; None if none waits or there is nothing yet."""
        if not self.poll_pending:
            return None
        packets = self.take()
        if self.closed and packets and self._final_packet:
            # The final packet goes out with the next poll. A client that reads a message and the
            # close packet in one payload closes before it has handled the message.
            self.expires = min(self.expires, now + LINGER_SECONDS)
        elif self.closed:
            if not self._final_packet:
                return None
            packets.append(self._final_packet)
            self._final_packet = b""
        elif not packets:
            if now < self._noop_at:
                return None
            packets.append(NOOP)
        self.poll_pending = False
        return encode_payload(packets)

    def poll_lost(self) -> None:
        """End the session because the client hung up on a poll.

        Packets may have been in an answer that the client did not get, and they are not repeated.
        """
        self.poll_pending = False
        self._end("transport close", b"")

    def post(self) -> None:
        """Register a POST; its caller unsets `posting` at the end.

        Raises:
            PacketError: another POST is under way. The session has ended.
        """
        if self.closed:
            raise PacketError("the session has ended")
        if self.posting:
            self.fail("transport error")
            raise PacketError("a second POST while one is under way")
        self.posting = True

    def begin_upgrade(self, now: float) -> bool:
        """Return True if a WebSocket that names this session may take over, else False.

        After False the WebSocket is to be closed.
        """
        if self.closed or self.upgrading or self.transport == "websocket":
            return False
        self._upgrade_by = now + self._settings.upgrade_timeout / 1000
        return True

    def upgrade(self, packet: Packet, now: float) -> bytes | None:
        """Handle a packet of the WebSocket that is about to take over.

        Returns:
            A packet to send on it; None once it has taken over.

        Raises:
            PacketError: the WebSocket is to be closed. The session goes on by polling.
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
        """Go on by polling: the WebSocket that was about to take over is lost."""
        self._end_upgrade()

    def excuse(self, until: float) -> None:
        """Do not hold it against a client that it was not read until a time: its pong may wait."""
        self._heartbeat.excuse(until)

    def tick(self, now: float) -> None:
        """Do what is due: end the session or an upgrade, or send a ping."""
        if self.closed:
            if now >= self.expires:
                self._final_packet = b""
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
        """End the session after its packets are sent. A close packet goes out with a later poll."""
        if not self.closed:
            self._end(reason, CLOSE)
            self.expires = now + LINGER_SECONDS

    def fail(self, reason: str) -> None:
        """End the session at once. Only a poll that waits gets a close packet."""
        self._end(reason, CLOSE if self.poll_pending else b"")

    def _end(self, reason: str, final_packet: bytes) -> None:
        if self.closed:
            return
        self.closed = reason
        self._final_packet = final_packet if self.transport == "polling" else b""
        self._end_upgrade()
        self._heartbeat.end()
        self.expires = math.inf

    def _end_upgrade(self) -> None:
        self._upgrade_by = self._noop_at = math.inf
        self._probed = False

    def _upgraded(self, now: float) -> None:
        self.transport = "websocket"
        self._end_upgrade()
        self.poll_pending = False
        # Without this an earlier ping, lost with the last poll, would end the session by its
        # timeout.
        self._heartbeat.begin(now)

    def _put(self, packet: bytes) -> None:
        self._outbox.append(packet)
        self.unsent += len(packet) + PACKET_OVERHEAD_BYTES

    def _handshake(self) -> bytes:
        upgrades = ("websocket",) if self.transport == "polling" else ()
        settings = self._settings
        times = (settings.ping_interval, settings.ping_timeout)
        return Handshake(self.sid, upgrades, *times, settings.max_payload).packet()
