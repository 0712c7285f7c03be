"""What a connection needs of whatever carries its frames."""

from typing import Protocol


class Link(Protocol):
    """What carries frames to a client: a WebSocket, or answers to its polls."""

    @property
    def writable(self) -> bool:
        """Whether it takes frames now; it calls `Connection.flush` when it does again."""
        ...

    def write(self, frames: list[bytes]) -> None:
        """Send finished frames in one go; any of the bytes may be several frames."""

    def close(self, code: int, reason: str = "") -> None:
        """End the connection, behind what was written."""

    def abort(self) -> None:
        """Drop the connection at once."""
