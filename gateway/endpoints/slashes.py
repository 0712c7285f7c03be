"""ASGI middleware for slashes at the end of paths."""

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.endpoints.guard import SOCKETIO


class Slashes:
    """Lets a path with a slash at its end mean the same as without it (ASGI).

    The router would answer with a redirect to an absolute address. It can only make that of the
    `Host` header, which anybody may choose, and behind a proxy that adds TLS or a prefix to the
    path it is wrong.
    """

    def __init__(self, app: ASGIApp, folders: tuple[str, ...], page: str = "") -> None:
        """Wrap an application.

        Args:
            app: gets the requests.
            folders: beginnings of paths, with their last slash, that the application reads itself.
            page: path of a page whose files are named relative to it without the slash. There the
                browser has to go, by a redirect that is relative.
        """
        self._app = app
        self._folders = (*folders, f"{SOCKETIO}/")
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a WebSocket."""
        app = self._app
        if scope["type"] != "lifespan":
            if self._page and scope["path"] == f"{self._page}/":
                app = RedirectResponse(f"..{self._page}")
            else:
                scope = self._normalized(scope)
        await app(scope, receive, send)

    def _normalized(self, scope: Scope) -> Scope:
        path: str = scope["path"]
        raw: bytes = scope.get("raw_path") or path.encode()
        if path == SOCKETIO:  # which some clients ask for without the slash
            return {**scope, "path": f"{path}/", "raw_path": raw + b"/"}
        # A name may end with a slash itself: it is `%2F` in `raw`.
        if path == "/" or path.startswith(self._folders) or not raw.endswith(b"/"):
            return scope
        return {**scope, "path": path[:-1], "raw_path": raw[:-1]}
