"""Serves the pages of `gateway/web` and the JavaScript client, as files without a build step."""

import os
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

WEB: Final = Path(__file__).parents[1] / "web"
JAVASCRIPT_CLIENT: Final = Path(__file__).parents[2] / "clients" / "javascript" / "src"

FOLDERS: Final = ("/chat/", "/client/", "/docs/")
"""Paths of files; a slash at the end of their path is not left out."""

DOCS_PAGE: Final = "/docs"
"""Page that documents REST. It names its files relative to this path."""

CHAT_PAGE: Final = WEB / "chat" / "index.html"

HEADERS: Final[Mapping[str, str]] = {
    # Scripts, styles and pictures come from files of this server only, and text never becomes
    # markup (W3C CSP3 and Trusted Types). A page connects to the gateway it came from only.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    # A file keeps its name when its content changes, so a browser checks each time, by ETag.
    "Cache-Control": "no-cache",
}

DOCS: Final[Mapping[str, str]] = {
    **HEADERS,
    # Swagger UI makes markup of text, after DOMPurify, and has its icons in its style sheet. It
    # shows a file of this server only, and scripts and styles in markup are not run.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}

VIEWER_FILES: Final = ("swagger_bundle.js", "swagger_style.css")
"""Files of the package `offapi` that `/docs` loads."""

CROSS_ORIGIN_HEADERS: Final[Mapping[str, str]] = {
    # Pages of any origin may import the client. `Guard` decides which of them may connect.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


class Files(StaticFiles):
    """A folder of files that are served with the same headers."""

    def __init__(self, folder: Path, extra_headers: Mapping[str, str] | None = None) -> None:
        super().__init__(directory=folder)
        self._headers = {**HEADERS, **(extra_headers or {})}

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Make the response for a file, or 304 if the browser has this version."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(self._headers)
        return response


async def chat_page(request: Request) -> Response:
    """`GET /`: the chat page, with the server's way of signing in as attributes of its element."""
    settings = request.app.state.gateway.settings
    return HTMLResponse(_chat_page(settings.auth_mode, settings.guests), headers=HEADERS)


@cache
def _chat_page(auth_mode: str, guests: str) -> bytes:
    element = f'<parley-app auth="{auth_mode}" guests="{guests}">'
    page = CHAT_PAGE.read_text(encoding="utf-8").replace("<parley-app>", element)
    return page.encode()


class Viewer(Files):
    """The files of Swagger UI that `/docs` loads; nothing else of their package."""

    def __init__(self) -> None:
        # Not imported: the package would read all its viewers into memory.
        spec = find_spec("offapi")
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError("the package offapi is missing: run `make setup`")
        super().__init__(Path(spec.submodule_search_locations[0]))

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Find a file, if it is one of the viewer's."""
        return super().lookup_path(path) if path in VIEWER_FILES else ("", None)


async def docs_page(_request: Request) -> Response:
    """`GET /docs`: the page that documents REST and sends requests."""
    return FileResponse(WEB / "docs" / "index.html", headers=DOCS)


async def openapi(_request: Request) -> Response:
    """`GET /openapi.json`: the OpenAPI document of the REST interface."""
    return FileResponse(WEB / "docs" / "openapi.json", headers=HEADERS)


def routes() -> list[BaseRoute]:
    """Return the routes of the pages and their files."""
    return [
        Route("/", chat_page),
        Mount("/chat", Files(WEB / "chat")),
        Mount("/client", Files(JAVASCRIPT_CLIENT, CROSS_ORIGIN_HEADERS)),
        Route("/openapi.json", openapi),
        Route(DOCS_PAGE, docs_page),
        Mount("/docs/viewer", Viewer()),
        Mount("/docs", Files(WEB / "docs")),
    ]
