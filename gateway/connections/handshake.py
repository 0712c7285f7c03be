"""The WebSocket handshake: uvicorn reads the request, the application answers and takes over.

uvicorn's own WebSocket protocols hold a queue, events, timers and a parser for each connection, and
parse the request a second time. None of it is needed here, as a `WebSocketLink` has the connection
as soon as the handshake is over (decision 020).
"""

import asyncio
import binascii
from base64 import b64decode
from collections.abc import Callable, MutableMapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

from uvicorn.config import Config
from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl
from uvicorn.server import ServerState
from websockets.utils import accept_key

from gateway.connections.intake import Intake
from gateway.connections.keepalive import KeepaliveSweep
from gateway.connections.link import Receiver
from gateway.connections.websocket import ADOPT, WebSocketLink
from gateway.protocols.websocket_frames import BINARY, TEXT, frame
from shared.protocol.closes import CloseCode
from shared.telemetry import logger

VERSION: Final = b"13"
KEY_BYTES: Final = 16
"""Bytes of the key in a client's request (RFC 6455, section 4.1)."""

Message = MutableMapping[str, Any]

log = logger(__name__)


class ChatProtocol(asyncio.Protocol):
    """The protocol to which uvicorn hands a WebSocket's handshake.

    After `accept` the application adopts the connection (`ADOPT`). One that does not can send
    messages and close, but receives none.
    """

    __slots__ = (
        "_answered",
        "_app_state",
        "_config",
        "_connect_received",
        "_connections",
        "_denial",
        "_denial_body",
        "_disconnected",
        "_early_bytes",
        "_key",
        "_request_read",
        "_sweep",
        "_tasks",
        "_transport",
        "_unsent_answer",
    )

    def __init__(
        self,
        sweep: KeepaliveSweep,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
    ) -> None:
        self._sweep = sweep
        self._config = config
        self._app_state = app_state
        self._connections: set[Any] = server_state.connections
        self._tasks = server_state.tasks
        # None once the connection is adopted, closed or lost: nothing is written here after that.
        self._transport: asyncio.Transport | None = None
        self._disconnected: asyncio.Future[None] | None = None
        self._key = ""
        self._request_read = self._connect_received = self._answered = False
        # The answer to an accepted handshake, until it is written together with what follows it.
        self._unsent_answer = b""
        self._denial: Message = {}
        self._denial_body = b""
        # Bytes that came before the answer, though no client should send any (section 4.1).
        self._early_bytes = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection over from the protocol that read the request."""
        self._transport = transport  # type: ignore[assignment]
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own
        """Record that the client has disconnected before it was adopted."""
        self._connections.discard(self)
        self._transport = None
        if self._disconnected is not None and not self._disconnected.done():
            self._disconnected.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Read the request, which uvicorn passes on in one piece; keep the bytes after it."""
        if self._request_read:
            self._early_bytes += data
            # The link reads on. Until then one read is enough to keep.
            if self._transport is not None:
                self._transport.pause_reading()
            return
        self._request_read = True
        request_line, *lines = data[:-4].split(b"\r\n")
        method, target, _ = request_line.split(b" ", 2)
        headers = [
            (name.lower(), value) for name, _, value in (line.partition(b": ") for line in lines)
        ]
        if refusal := self._check(method, target, dict(headers)):
            self._refuse(*refusal)
        elif self._transport is not None:
            scope = self._scope(self._transport, target, headers)
            task = asyncio.get_running_loop().create_task(self._run(scope))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def shutdown(self) -> None:
        """End the connection because the server stops. uvicorn calls this."""
        self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)

    def _check(
        self, method: bytes, target: bytes, headers: dict[bytes, bytes]
    ) -> tuple[HTTPStatus, bytes] | None:
        """Check a request (section 4.2.1); uvicorn has checked its `Upgrade` header.

        Returns:
            The status and headers to refuse it with; None if it is in order.
        """
        if headers.get(b"sec-websocket-version") != VERSION:
            return HTTPStatus.UPGRADE_REQUIRED, b"Sec-WebSocket-Version: 13\r\n"
        key = headers.get(b"sec-websocket-key", b"")
        try:
            size = len(b64decode(key, validate=True))
        except binascii.Error:
            size = 0
        if method != b"GET" or not target.isascii() or size != KEY_BYTES:
            return HTTPStatus.BAD_REQUEST, b""
        self._key = key.decode()
        return None

    def _scope(
        self, transport: asyncio.Transport, target: bytes, headers: list[tuple[bytes, bytes]]
    ) -> Message:
        path, _, query = target.partition(b"?")
        root = self._config.root_path
        offered = [v.decode("latin-1") for name, v in headers if name == b"sec-websocket-protocol"]
        return {
            "type": "websocket",
            "asgi": {"version": self._config.asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "wss" if is_ssl(transport) else "ws",
            "server": get_local_addr(transport),
            "client": get_remote_addr(transport),
            "root_path": root,
            "path": root + unquote(path.decode()),
            "raw_path": root.encode() + path,
            "query_string": query,
            "headers": headers,
            "subprotocols": [name.strip() for value in offered for name in value.split(",")],
            "state": self._app_state.copy(),
            "extensions": {"websocket.http.response": {}, ADOPT: self._adopt},
        }

    async def _run(self, scope: Message) -> None:
        application: Any = self._config.loaded_app
        try:
            await application(scope, self._receive, self._send)
        except Exception:
            log.exception("handshake failed", path=scope["path"])
        self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR)

    async def _receive(self) -> Message:
        if not self._connect_received:
            self._connect_received = True
            return {"type": "websocket.connect"}
        if self._transport is not None:
            self._disconnected = asyncio.get_running_loop().create_future()
            await self._disconnected
        return {"type": "websocket.disconnect", "code": CloseCode.ABNORMAL_CLOSURE}

    async def _send(self, message: Message) -> None:
        match message["type"]:
            case "websocket.accept":
                self._accept(message)
            case "websocket.send":
                text, data = message.get("text"), message.get("bytes") or b""
                self._write(frame(BINARY, data) if text is None else frame(TEXT, text.encode()))
            case "websocket.close" if self._answered:
                code, reason = (
                    message.get("code", CloseCode.NORMAL_CLOSURE),
                    message.get("reason") or "",
                )
                self._adopt(lambda link: _ClosingReceiver(link, code, reason))
            case "websocket.close":
                self._refuse(HTTPStatus.FORBIDDEN)
            case "websocket.http.response.start":
                self._denial = message
            case "websocket.http.response.body":
                self._denial_body += message.get("body", b"")
                if not message.get("more_body"):
                    self._deny()
            case kind:
                raise ValueError(f"an ASGI message that a handshake does not have: {kind}")

    def _accept(self, message: Message) -> None:
        chosen = message.get("subprotocol")
        answer = [
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
            b"Sec-WebSocket-Accept: %b\r\n" % accept_key(self._key).encode(),
            b"Sec-WebSocket-Protocol: %b\r\n" % chosen.encode() if chosen else b"",
            *(b"%b: %b\r\n" % pair for pair in message.get("headers", ())),
            b"\r\n",
        ]
        self._answered = True
        self._unsent_answer = b"".join(answer)
        # An application that adopts the connection does so in this turn of the event loop. The
        # link then writes the answer together with the first frames: one write, one packet. This
        # call is for applications that do not.
        asyncio.get_running_loop().call_soon(self._write, b"")

    def _deny(self) -> None:
        headers = (b"%b: %b\r\n" % pair for pair in self._denial.get("headers", ()))
        self._refuse(HTTPStatus(self._denial["status"]), b"".join(headers), self._denial_body)

    def _adopt(
        self, make_receiver: Callable[[WebSocketLink], Receiver], intake: Intake | None = None
    ) -> None:
        transport, self._transport = self._transport, None
        if transport is None:
            return  # the client has disconnected
        self._connections.discard(self)
        limit = self._config.ws_max_size
        answer, self._unsent_answer = self._unsent_answer, b""
        link = WebSocketLink(
            transport, make_receiver, self._connections, limit, self._sweep, answer, intake
        )
        if self._early_bytes:
            transport.resume_reading()
            link.data_received(self._early_bytes)

    def _refuse(self, status: HTTPStatus, headers: bytes = b"", body: bytes = b"") -> None:
        """Close the connection, with this answer unless the request was answered before."""
        self._write(b"")
        transport, self._transport = self._transport, None
        if transport is None:
            return
        if not self._answered:
            self._answered = True
            head = f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\n".encode()
            if b"content-length" not in headers:
                headers += b"Content-Length: %d\r\n" % len(body)
            transport.write(b"%b%b\r\n%b" % (head, headers, body))
        transport.close()

    def _write(self, data: bytes) -> None:
        unwritten, self._unsent_answer = self._unsent_answer + data, b""
        if unwritten and self._transport is not None:
            self._transport.write(unwritten)


class _ClosingReceiver:
    """The receiver of a connection that is being closed: it drops what the client sends."""

    def __init__(self, link: WebSocketLink, code: int, reason: str) -> None:
        link.close(code, reason)

    def received(self, data: bytes, *, text: bool) -> None:
        """Drop the message."""

    def unreadable(self, data: bytes) -> None:
        """Do nothing: the connection is closed already."""

    def writable(self) -> None:
        """Do nothing: there is no more to write."""

    def lost(self) -> None:
        """Do nothing: nothing depends on this connection."""
