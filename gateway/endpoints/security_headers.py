"""Headers that every answer carries, whoever made it."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

DEFAULTS: Final = {
    # What is no page of ours is nothing that a browser should run, frame, guess at or embed.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}

ENCODED: Final = [(name.lower().encode(), value.encode()) for name, value in DEFAULTS.items()]

STARTS: Final = frozenset({"http.response.start", "websocket.http.response.start"})


class SecurityHeaders:
    """Adds the headers that an answer does not set itself (ASGI)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""

        async def guarded(message: Message) -> None:
            if message["type"] in STARTS:
                given = {name.lower() for name, _ in message["headers"]}
                added = [pair for pair in ENCODED if pair[0] not in given]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self._app(scope, receive, guarded if scope["type"] != "lifespan" else send)
