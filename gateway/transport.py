"""The WebSocket protocol class handed to uvicorn: its own, with a way to drop a connection."""

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

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

    async def send(self, message: "ASGISendEvent") -> None:
        """Send an ASGI message; a handshake that was answered with a refusal is completed."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            # Else uvicorn takes the application for one that forgot to answer, and logs an error.
            self.handshake_complete = True
