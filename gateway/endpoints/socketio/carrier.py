"""What carries a session's packets over a WebSocket."""

from typing import Protocol


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
