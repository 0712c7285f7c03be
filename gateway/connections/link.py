"""The interfaces between a connection and the transport that carries its frames."""

from collections.abc import Coroutine
from typing import Any, Protocol

from gateway.connections.intake import Intake

PendingWork = Coroutine[Any, Any, Any]
"""The rest of handling a message, to be awaited before the client's next message."""


class Link(Protocol):
    """The transport of one client's frames: a WebSocket, or answers to polling requests.

    Attributes:
        intake: the budget of what the client sends; None where rates are not limited.
    """

    intake: Intake | None

    @property
    def writable(self) -> bool:
        """True if the link takes frames now. Once it does again, it calls `Connection.flush`."""
        ...

    @property
    def low(self) -> bool:
        """True if little waits here. Once that is so again, it calls `Connection.flush`."""
        ...

    def write(self, frames: list[bytes]) -> None:
        """Send finished frames in one write. An element may hold several frames."""

    def close(self, code: int, reason: str = "") -> None:
        """Close the connection after the frames that were written before."""

    def abort(self) -> None:
        """Drop the connection at once. Unsent bytes are lost."""


class Receiver(Protocol):
    """The receiver of a client's messages. None of its methods may raise."""

    def received(self, data: bytes, *, text: bool) -> PendingWork | None:
        """Handle a message. The bytes of a text are valid UTF-8.

        Returns:
            None once the message is handled, or work to await before the next one.
        """

    def unreadable(self, data: bytes) -> None:
        """Answer a text that is not UTF-8, if it says to whom; the link closes after it."""

    def writable(self) -> None:
        """Write more: the link takes frames again."""

    def lost(self) -> None:
        """Clean up: the connection has ended, and no other call follows."""
