"""A persister's port for operators: `/metrics`, `/health/live`, and what acts."""

import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from shared.errors import ChatError
from shared.metrics import CONTENT_TYPE, exposition
from shared.operator.acting import Answer, check_acting, failed
from shared.telemetry import logger
from shared.trail import Source, Trail
from shared.trail.events import OperatorAction, OperatorRefused
from shared.web.hosts import MALFORMED, MISDIRECTED, Hosts, host_name

MAX_BODY_BYTES: Final = 65_536
"""Bytes of a request's body that are read. Nothing here needs one."""

MAX_LENGTH_DIGITS: Final = 9
"""Digits of a `Content-Length`; a body with a longer one is not read."""

REQUEST_TIMEOUT_SECONDS: Final = 10.0
"""Seconds to wait for a request to arrive."""

log = logger(__name__)

Act = Callable[[], Answer]
"""Does what a request asks for, in the thread of that request. It may raise `ChatError`."""


class _Handler(BaseHTTPRequestHandler):
    timeout = REQUEST_TIMEOUT_SECONDS
    server_version, sys_version = "parley", ""
    server: "_Server"

    def do_GET(self) -> None:
        if self.path == "/health/live":
            self._answer(HTTPStatus.OK, b'{"status":"live"}', "application/json")
        elif self._refuses_host():
            return
        elif self.path == "/metrics":
            self._answer(HTTPStatus.OK, exposition(), CONTENT_TYPE)
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"there is /metrics and /health/live\n")

    def do_POST(self) -> None:
        self._skip_body()
        if self._refuses_host():
            return
        act = self.server.acts.get(self.path)
        if act is None:
            self._answer(HTTPStatus.NOT_FOUND, b"no such thing can be done here\n")
            return
        trail, action, address = self.server.trail, f"POST {self.path}", self.client_address[0]
        try:
            check_acting(self.server.secret, self.headers.get)
        except ChatError as error:
            event = OperatorRefused(action=action, reason=error.code, address=address)
            trail.note(event, Source.at(address))
            self._reply(failed(error))
            return
        try:
            with self.server.acting:
                answer = act()
        except ChatError as error:
            answer = failed(error)
        done_to, error_code = answer.on, answer.error
        trail.note(OperatorAction(action=action, on=done_to, address=address, error=error_code))
        self._reply(answer)

    def _refuses_host(self) -> bool:
        """Answer a request for a host that is not allowed; return True if it was one."""
        name = host_name(self.headers.get_all("Host", []))
        if name is None:
            self._answer(HTTPStatus.BAD_REQUEST, f"{MALFORMED}\n".encode())
        elif not self.server.hosts.allow(name):
            self._answer(HTTPStatus.MISDIRECTED_REQUEST, f"{MISDIRECTED}\n".encode())
        else:
            return False
        return True

    def _skip_body(self) -> None:
        """Read the body, as a connection that is closed before that would lose the answer."""
        length = self.headers.get("Content-Length", "")
        # Python does not read numbers of thousands of digits.
        is_number = length.isdecimal() and len(length) <= MAX_LENGTH_DIGITS
        self.rfile.read(min(int(length) if is_number else 0, MAX_BODY_BYTES))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's
        """Log nothing: monitoring sends requests every few seconds."""

    def _reply(self, answer: Answer) -> None:
        self._answer(answer.status, answer.body, "application/json", answer.headers)

    def _answer(
        self,
        status: HTTPStatus,
        body: bytes,
        kind: str = "text/plain; charset=utf-8",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in {"Cache-Control": "no-store", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    """The port's server.

    Attributes:
        hosts: the hosts that it answers for.
        secret: that lets an operator act.
        acts: what can be done, by path.
        trail: gets what was done or refused.
        acting: held while something is done, so that it is done by one at a time.
    """

    daemon_threads = True

    def __init__(
        self,
        listener: socket.socket,
        hosts: Hosts,
        secret: str,
        acts: Mapping[str, Act],
        trail: Trail,
    ) -> None:
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.hosts = hosts
        self.secret = secret
        self.acts = acts
        self.trail = trail
        self.acting = threading.Lock()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """Log an error of a request, but for that of a client that closed its connection early."""
        if not isinstance(error := sys.exception(), OSError):
            log.error("a request on the operator's port failed", exc_info=error)


@contextmanager
def serving_operator(
    listener: socket.socket | None,
    hosts: Hosts,
    secret: str,
    acts: Mapping[str, Act],
    trail: Trail,
) -> Iterator[None]:
    """Serve the port while the block runs, in threads, so that requests never delay storing.

    Args:
        listener: a socket bound to the operator's port; None for no port.
        hosts: the hosts that it answers for; a check of its health is answered for all.
        secret: `OPERATOR_SECRET`; with an empty one nobody may act.
        acts: what `POST` does, by path.
        trail: gets what was done or refused.
    """
    if listener is None:
        yield
        return
    server = _Server(listener, hosts, secret, acts, trail)
    server.server_activate()
    threading.Thread(target=server.serve_forever, name="operator", daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
