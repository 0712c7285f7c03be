"""A persister's port for operators: `/metrics` and `/health/live`."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from shared.metrics import CONTENT_TYPE, exposition

REQUEST_TIMEOUT_SECONDS: Final = 10.0
"""Seconds to wait for a request to arrive."""


class _Handler(BaseHTTPRequestHandler):
    timeout = REQUEST_TIMEOUT_SECONDS
    server_version, sys_version = "parley", ""

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._answer(HTTPStatus.OK, exposition(), CONTENT_TYPE)
        elif self.path == "/health/live":
            self._answer(HTTPStatus.OK, b'{"status":"live"}', "application/json")
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"there is /metrics and /health/live\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's
        """Log nothing: monitoring sends requests every few seconds."""

    def _answer(
        self, status: HTTPStatus, body: bytes, kind: str = "text/plain; charset=utf-8"
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Log nothing for a client that closed its connection early."""


@contextmanager
def serving_operator(listener: socket.socket | None) -> Iterator[None]:
    """Serve the port while the block runs, in threads, so that requests never delay storing.

    Args:
        listener: a socket bound to the operator's port; None for no port.
    """
    if listener is None:
        yield
        return
    server = _Server(listener.getsockname()[:2], _Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.server_activate()
    threading.Thread(target=server.serve_forever, name="operator", daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
