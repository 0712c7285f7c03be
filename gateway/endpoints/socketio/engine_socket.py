"""The WebSocket transport of Engine.IO 4, used from the start or after an upgrade from polling."""

from gateway.connections.link import PendingWork
from gateway.connections.websocket import WebSocketLink
from gateway.endpoints.socketio.engine_session import EngineSession
from gateway.protocols.engineio.packets import Binary, Packet, PacketError, decode_packet
from gateway.protocols.engineio.settings import EngineSettings
from gateway.protocols.websocket_frames import BINARY, TEXT, frame
from shared.protocol.closes import CloseCode
from shared.telemetry import logger

log = logger(__name__)


class EngineSocket:
    """A WebSocket that carries a session, or is about to take over from polling (`Receiver`)."""

    __slots__ = ("_link", "_session", "_settings", "_upgrading")

    def __init__(
        self,
        session: EngineSession,
        link: WebSocketLink,
        settings: EngineSettings,
        *,
        upgrading: bool,
    ) -> None:
        """Attach a WebSocket to its session.

        Args:
            session: the session that the request named or opened.
            link: the WebSocket.
            settings: of the Engine.IO server.
            upgrading: True if the session is still polling.
        """
        self._session = session
        self._link = link
        self._settings = settings
        self._upgrading = upgrading
        session.socket = self
        session.flush()

    @property
    def can_write(self) -> bool:
        """True if the client reads what is written."""
        return self._link.writable

    def received(self, data: bytes, *, text: bool) -> PendingWork | None:
        """Handle a message of the client."""
        if len(data) > self._settings.max_payload:
            self._refuse()
            return None
        try:
            packet = decode_packet(data.decode() if text else data)
        except PacketError:
            self._refuse()
            return None
        work = self._take(packet)
        return None if work is None else self._finish(work)

    def unreadable(self, data: bytes) -> None:
        """Leave a text that is not UTF-8 unanswered: the protocol ends the connection."""

    def writable(self) -> None:
        """Send what waits: the link takes frames again."""
        self._session.flush()

    def lost(self) -> None:
        """End the session, or only the upgrade if the session is still polling."""
        if self._session.socket is not self:
            return  # the upgrade had failed before
        if self._upgrading:
            self._session.socket = None
            self._session.engine.upgrade_failed()
            self._session.flush()
        else:
            self._session.fail("transport close")

    def send(self, packets: list[bytes]) -> None:
        """Send packets, each as a WebSocket message."""
        self._link.write(
            [frame(BINARY if isinstance(packet, Binary) else TEXT, packet) for packet in packets]
        )

    def write(self, frames: list[bytes]) -> None:
        """Send finished WebSocket frames."""
        self._link.write(frames)

    def close(self) -> None:
        """Close the connection after the bytes that were written before."""
        self._link.close(CloseCode.NORMAL_CLOSURE)

    def abort(self) -> None:
        """Drop the connection at once. Unsent bytes are lost."""
        self._link.abort()

    def _take(self, packet: Packet) -> PendingWork | None:
        try:
            if self._upgrading:
                self._upgrade(packet)
                return None
            return self._session.receive(packet)
        except PacketError:
            self._refuse()
        except Exception:
            log.exception("an Engine.IO session failed", sid=self._session.sid)
        finally:
            self._session.flush()
        return None

    def _upgrade(self, packet: Packet) -> None:
        reply = self._session.engine.upgrade(packet, self._session.now)
        if reply is None:
            self._upgrading = False
        else:
            self.send([reply])

    def _refuse(self) -> None:
        """End the session, or only the upgrade, because of a malformed packet."""
        if self._upgrading:
            self._session.engine.upgrade_failed()
            self._session.flush()
        else:
            self._session.fail("parse error")

    async def _finish(self, work: PendingWork) -> None:
        try:
            await work
        except PacketError:
            self._refuse()
        except Exception:
            log.exception("an Engine.IO session failed", sid=self._session.sid)
        finally:
            self._session.flush()
