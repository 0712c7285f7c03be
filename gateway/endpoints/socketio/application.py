"""What an Engine.IO session meets: the application that is served, and a WebSocket."""

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from starlette.types import Scope

from gateway.protocols.engineio.packets import Binary

if TYPE_CHECKING:
    from gateway.endpoints.socketio.engine_session import EngineSession

Later = Coroutine[Any, Any, None]
"""What is still to be done about a packet."""


class Socket(Protocol):
    """A session's WebSocket."""

    @property
    def takes(self) -> bool:
        """Whether the client takes what is written."""
        ...

    def send(self, packets: list[bytes]) -> None:
        """Send packets, each in a message."""

    def write(self, frames: list[bytes]) -> None:
        """Send messages that are framed already."""

    def close(self) -> None:
        """End the connection, behind what was written."""

    def abort(self) -> None:
        """Drop the connection at once."""


class Application(Protocol):
    """What is served over Engine.IO. It is called for one packet of a session after the other."""

    def on_open(self, session: "EngineSession", scope: Scope) -> None:
        """A session has begun, with this request (ASGI); it may be sent to."""
        ...

    def on_packet(self, session: "EngineSession", message: str | Binary) -> "Later | None":
        """Take a message.

        Returns:
            None once that is done, or what is to be awaited before the client is read further,
            or its POST answered.

        Raises:
            PacketError: it is malformed; the session is closed.
        """
        ...

    def on_close(self, session: "EngineSession", reason: str) -> None:
        """A session has ended: nothing that is sent now reaches its client."""
        ...
