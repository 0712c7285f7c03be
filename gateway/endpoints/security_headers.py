"""Adds security headers to every response, whatever produced it."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

DEFAULTS: Final = {
    # For everything but the pages, which set their own: a browser should not run it, show it in a
    # frame, guess its type or embed it.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Answers are somebody's own, unless they say otherwise, as files do.
    "Cache-Control": "no-store",
}

ENCODED: Final = [(name.lower().encode(), value.encode()) for name, value in DEFAULTS.items()]

STARTS: Final = frozenset({"http.response.start", "websocket.http.response.start"})


class SecurityHeaders:
    """Adds the headers that a response does not set itself (ASGI)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] in STARTS:
                present = {name.lower() for name, _ in message["headers"]}
                added = [pair for pair in ENCODED if pair[0] not in present]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] != "lifespan" else send)
