"""The WebSocket protocol class handed to uvicorn: its own, with a way to drop a connection."""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

ABORT = "parley.abort"
"""The ASGI extension: a callable that drops the TCP connection at once."""


class ChatProtocol(WebSocketsSansIOProtocol):
    """Lets the application end a connection whose client does not read.

    A close frame would wait behind what the client does not take, for as long as it likes.
    """

    def handle_connect(self, event: Any) -> None:  # noqa: ANN401 - the base class's own
        """Take the handshake, and put the extension into its scope."""
        super().handle_connect(event)
        # There is no scope where the handshake was refused. The application's first step comes
        # after this one.
        if scope := getattr(self, "scope", None):
            scope["extensions"][ABORT] = self.transport.abort
