"""The interface between an Engine.IO session and its WebSocket."""

from typing import Protocol


class Socket(Protocol):
    """The WebSocket of a session."""

    @property
    def can_write(self) -> bool:
        """True if the client reads what is written."""
        ...

    def send(self, packets: list[bytes]) -> None:
        """Send packets, each as a WebSocket message."""

    def write(self, frames: list[bytes]) -> None:
        """Send finished WebSocket frames."""

    def close(self) -> None:
        """Close the connection after the bytes that were written before."""

    def abort(self) -> None:
        """Drop the connection at once. Unsent bytes are lost."""
