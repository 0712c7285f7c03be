"""The interface between a connection and the transport that carries its frames."""

from typing import Protocol


class Link(Protocol):
    """The transport of one client's frames: a WebSocket, or answers to polling requests."""

    @property
    def writable(self) -> bool:
        """True if the link takes frames now. Once it does again, it calls `Connection.flush`."""
        ...

    def write(self, frames: list[bytes]) -> None:
        """Send finished frames in one write. An element may hold several frames."""

    def close(self, code: int, reason: str = "") -> None:
        """Close the connection after the frames that were written before."""

    def abort(self) -> None:
        """Drop the connection at once. Unsent bytes are lost."""
