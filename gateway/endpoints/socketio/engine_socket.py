"""The WebSocket transport of Engine.IO 4: a session's, from the start or after an upgrade."""

from gateway.connections.websocket import PendingWork, WebSocketLink
from gateway.endpoints.socketio.engine_session import EngineSession
from gateway.protocols.engineio.packets import Binary, Packet, PacketError, decode_packet
from gateway.protocols.engineio.settings import EngineSettings
from gateway.protocols.websocket_frames import BINARY, TEXT, frame
from shared.protocol.closes import CloseCode
from shared.telemetry import logger

log = logger(__name__)


class EngineSocket:
    """A WebSocket that carries a session, or is about to take over from polling."""

    __slots__ = ("_link", "_session", "_settings", "_upgrading")

    def __init__(
        self,
        session: EngineSession,
        link: WebSocketLink,
        settings: EngineSettings,
        *,
        upgrading: bool,
    ) -> None:
        """Begin.

        Args:
            session: it belongs to.
            link: the connection.
            settings: of the server.
            upgrading: the session is still polling.
        """
        self._session = session
        self._link = link
        self._settings = settings
        self._upgrading = upgrading
        session.socket = self
        session.settle()

    @property
    def takes(self) -> bool:
        """Whether the client takes what is written."""
        return self._link.writable

    def received(self, data: bytes, *, text: bool) -> PendingWork | None:
        """Take a message."""
        if len(data) > self._settings.max_payload:
            self._refuse()
            return None
        try:
            packet = decode_packet(data.decode() if text else data)
        except PacketError:
            self._refuse()
            return None
        later = self._take(packet)
        return None if later is None else self._finish(later)

    def writable(self) -> None:
        """The client takes more again."""
        self._session.settle()

    def lost(self) -> None:
        """The connection has ended."""
        if self._session.socket is not self:
            return  # it did not take over
        if self._upgrading:
            self._session.socket = None
            self._session.engine.upgrade_failed()
            self._session.settle()
        else:
            self._session.fail("transport close")

    def send(self, packets: list[bytes]) -> None:
        """Send packets, each in a message."""
        self._link.write(
            [frame(BINARY if isinstance(packet, Binary) else TEXT, packet) for packet in packets]
        )

    def write(self, frames: list[bytes]) -> None:
        """Send messages that are framed already."""
        self._link.write(frames)

    def close(self) -> None:
        """End the connection, behind what was written."""
        self._link.close(CloseCode.NORMAL_CLOSURE)

    def abort(self) -> None:
        """Drop the connection at once."""
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
            log.exception("session failed", sid=self._session.sid)
        finally:
            self._session.settle()
        return None

    def _upgrade(self, packet: Packet) -> None:
        reply = self._session.engine.upgrade(packet, self._session.now)
        if reply is None:
            self._upgrading = False
        else:
            self.send([reply])

    def _refuse(self) -> None:
        """What came is no packet: the session ends, or goes on without this WebSocket."""
        if self._upgrading:
            self._session.engine.upgrade_failed()
            self._session.settle()
        else:
            self._session.fail("parse error")

    async def _finish(self, later: PendingWork) -> None:
        try:
            await later
        except PacketError:
            self._refuse()
        except Exception:
            log.exception("session failed", sid=self._session.sid)
        finally:
            self._session.settle()
