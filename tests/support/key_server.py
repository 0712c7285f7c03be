"""A server of key sets for a test, which answers as it is told."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.support.tokens import token

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]

ALGORITHMS: Final[dict[str, Any]] = {
    "RS256": (jwt.algorithms.RSAAlgorithm, lambda: rsa.generate_private_key(65537, 2048)),
    "ES256": (jwt.algorithms.ECAlgorithm, lambda: ec.generate_private_key(ec.SECP256R1())),
    "EdDSA": (jwt.algorithms.OKPAlgorithm, ed25519.Ed25519PrivateKey.generate),
}
"""What writes a key into a set and what makes one, by algorithm."""


class KeyServer:
    """Signs tokens, and serves the keys to check them with.

    Attributes:
        asked: the paths that were asked for, in order.
        answers: what is answered, by path; the keys, where there is nothing for it.
        keys: the entries of the set.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, Answer] = {}
        self.keys: list[dict[str, Any]] = []
        self._private: dict[str, tuple[str, Any]] = {}
        self._scheme = "http"
        self.port = 0

    def url(self, path: str = "/keys", host: str = "127.0.0.1") -> str:
        """The address of a path."""
        return f"{self._scheme}://{host}:{self.port}{path}"

    def add(self, kid: str, algorithm: str = "EdDSA", **more: object) -> None:
        """Sign by one more key, and serve it; `more` is in its entry, too."""
        kind, make = ALGORITHMS[algorithm]
        private = make()
        self._private[kid] = (algorithm, private)
        self.publish({**json.loads(kind.to_jwk(private.public_key())), "kid": kid, **more})

    def publish(self, entry: dict[str, Any]) -> None:
        """Serve one more entry, whatever it is."""
        self.keys.append(entry)

    def take_out(self, kid: str) -> None:
        """Serve a key no more."""
        self.keys = [entry for entry in self.keys if entry.get("kid") != kid]

    def sign(self, kid: str, user: str = "ann", **more: Any) -> str:  # noqa: ANN401 - as `token` has them
        """A token by one of its keys."""
        algorithm, private = self._private[kid]
        return token(user, key=private, algorithm=algorithm, headers={"kid": kid}, **more)

    def body(self) -> bytes:
        """The set of keys."""
        return json.dumps({"keys": self.keys}).encode()

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["KeyServer"]:
        """Serve while the block runs; afterwards the address is away."""
        self._scheme = "https" if tls else "http"
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            request = await reader.readuntil(b"\r\n\r\n")
            path = request.split(b" ")[1].decode()
            self.asked.append(path)
            await self.answers.get(path, answering(self.body))(writer)
        writer.close()


def answering(body: Callable[[], bytes], status: HTTPStatus = HTTPStatus.OK) -> Answer:
    """Answer with a body."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        found = body()
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Length: {len(found)}\r\n\r\n"
        writer.write(head.encode() + found)
        await writer.drain()

    return answer


def saying(raw: bytes) -> Answer:
    """Answer with these bytes."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return answer


def leading(location: str, status: int = 302) -> Answer:
    """Redirect."""
    return saying(f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\n\r\n".encode())


def hanging(until: asyncio.Event, then: Answer) -> Answer:
    """Say nothing until an event is set, and answer then."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        await until.wait()
        await then(writer)

    return answer


def dripping(first: bytes) -> Answer:
    """Begin an answer, and go on a byte at a time without an end."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)  # slower than a flood, faster than any timeout of a read

    return answer
