"""Serves the pages of `gateway/web` and the JavaScript client, file by file as they are."""

import os
from collections.abc import Mapping
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

CHAT_PAGE: Final = WEB / "chat" / "index.html"

HEADERS: Final[Mapping[str, str]] = {
    # Scripts, styles and pictures are files of ours, and markup is never made of text (W3C CSP3
    # and Trusted Types). A page talks to the gateway it came from, and to nobody else.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Names of files do not change with what is in them: a browser asks each time, by ETag.
    "Cache-Control": "no-cache",
}

DOCS: Final[Mapping[str, str]] = {
    **HEADERS,
    # Swagger UI makes markup of text, after DOMPurify, and has its icons in its style sheet. What
    # it shows is a file of ours, and neither scripts nor styles in markup are run.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}

VIEWER_FILES: Final = ("swagger_bundle.js", "swagger_style.css")
"""Files of the package `offapi` that `/docs` loads."""

SHARED: Final[Mapping[str, str]] = {
    # Pages of other origins may import the client; whom a gateway talks to is another matter.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


class Files(StaticFiles):
    """A folder of files, each with the same headers."""

    def __init__(self, folder: Path, more: Mapping[str, str] | None = None) -> None:
        super().__init__(directory=folder)
        self._headers = {**HEADERS, **(more or {})}

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """A file, or 304 for one that the browser has."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(self._headers)
        return response


async def chat_page(request: Request) -> Response:
    """`GET /`: the chat page, which is told how people show here who they are."""
    settings = request.app.state.gateway.settings
    told = f'<parley-app auth="{settings.auth_mode}" guests="{settings.guests}">'
    page = CHAT_PAGE.read_text(encoding="utf-8").replace("<parley-app>", told)
    return HTMLResponse(page, headers=HEADERS)


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
    """`GET /docs`: the REST interface, to read and to try."""
    return FileResponse(WEB / "docs" / "index.html", headers=DOCS)


async def openapi(_request: Request) -> Response:
    """`GET /openapi.json`: the OpenAPI document of the REST interface."""
    return FileResponse(WEB / "docs" / "openapi.json", headers=HEADERS)


def routes() -> list[BaseRoute]:
    """What leads to pages and their files."""
    return [
        Route("/", chat_page),
        Mount("/chat", Files(WEB / "chat")),
        Mount("/client", Files(JAVASCRIPT_CLIENT, SHARED)),
        Route("/openapi.json", openapi),
        Route("/docs", docs_page),
        Mount("/docs/viewer", Viewer()),
        Mount("/docs", Files(WEB / "docs")),
    ]
