"""Every way in, so that each attack is tried through all of them."""

import asyncio
import contextlib
import json
from http import HTTPStatus
from itertools import count
from types import TracebackType
from typing import Any, Literal, Self

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from websockets.asyncio.client import connect

from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.socketio_peer import SocketIOPeer
from tests.support.tokens import token
from tests.support.waiting import HANGS_AFTER

PRIVATE = rsa.generate_private_key(65_537, 2048)
"""Signs what lets one in."""
PUBLIC = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
AUDIENCE = "parley"
GUARDED = {"AUTH_MODE": "jwt", "JWT_PUBLIC_KEY": PUBLIC.decode(), "JWT_AUDIENCE": AUDIENCE}
"""The settings of a server that takes the tokens of `pass_for`."""

Door = Literal["json", "msgpack", "socket.io", "polling"]
DOORS: tuple[Door, ...] = ("json", "msgpack", "socket.io", "polling")

_addresses = count(1)


def new_address() -> dict[str, str]:
    """Where nobody came from so far, as a proxy that a gateway trusts says it."""
    number = next(_addresses)
    return {"X-Forwarded-For": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"}


def pass_for(user: object, **how: Any) -> str:  # noqa: ANN401 - as `token` has them
    """A token that lets a user in, unless something about it is changed."""
    return token(user, **{"key": PRIVATE, "algorithm": "RS256", "aud": AUDIENCE, **how})


class SocketIODoor(SocketIOPeer):
    """Socket.IO over a WebSocket, with headers of its own.

    Entering it raises a `Refusal` where CONNECT is answered with an error.
    """

    def __init__(
        self, url: str, query: str = "", token: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(url, query, {"token": token} if token else {})
        self._headers = headers or {}

    async def __aenter__(self) -> Self:
        self._socket = await connect(
            self._url,
            additional_headers=self._headers,
            max_queue=None,
            max_size=None,
            compression=None,
            open_timeout=HANGS_AFTER,
        )
        await self._open()
        self._reading = asyncio.create_task(self._read())
        return self

    async def _open(self) -> None:
        assert str(await self.socket.recv()).startswith("0{")
        await self.raw("40" + json.dumps(self._auth))
        self._opened(str(await self.socket.recv()))

    def _opened(self, packet: str) -> None:
        answer = json.loads(packet[2:])
        if packet.startswith("44"):
            raise Refusal(answer["data"])
        self.pid = answer["pid"]


class PollingDoor(SocketIODoor):
    """Socket.IO over requests of HTTP.

    One POST is under way at a time, as with every client; what is sent meanwhile goes together.
    """

    def __init__(
        self, url: str, query: str = "", token: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(url, query, token, headers)
        self.session = f"{url}/socket.io/?EIO=4&transport=polling&{query}"
        self._status = 0
        self._unsent: list[bytes] = []
        self._posting = asyncio.Lock()
        self._pongs: set[asyncio.Task[None]] = set()
        self._http = httpx.AsyncClient(headers=self._headers, timeout=HANGS_AFTER)

    async def __aenter__(self) -> Self:
        opened = await self._http.get(self.session)
        opened.raise_for_status()
        self.session += f"&sid={json.loads(opened.text[1:])['sid']}"
        try:
            await self.raw("40" + json.dumps(self._auth))
            first, *more = (await self._http.get(self.session)).text.split("\x1e")
            self._opened(first)
        except BaseException:
            await self._http.aclose()
            raise
        self._reading = asyncio.create_task(self._read())
        for packet in more:
            self._receive(packet)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.close_code is None:
            with contextlib.suppress(httpx.HTTPError):
                await self.raw("1")
        assert self._reading is not None
        await self._reading
        await self._http.aclose()

    async def emit(self, event: str, data: object = None, request: object = None) -> None:
        """Emit an event, into a session that is still there."""
        await super().emit(event, data, request)
        if self._status != HTTPStatus.OK:
            raise ConnectionError(f"a POST was answered by {self._status}")

    async def raw(self, data: str | bytes) -> None:
        """Post packets; the end of a session shows in what is polled."""
        self._unsent.append(data.encode() if isinstance(data, str) else data)
        async with self._posting:
            if self._unsent:
                packets, self._unsent = self._unsent, []
                body = b"\x1e".join(packets)
                self._status = (await self._http.post(self.session, content=body)).status_code

    async def _pong(self) -> None:
        with contextlib.suppress(httpx.HTTPError):
            await self.raw("3")

    async def _read(self) -> None:
        with contextlib.suppress(httpx.HTTPError):
            while (answer := await self._http.get(self.session)).status_code == 200:
                packets = answer.text.split("\x1e")
                if "2" in packets:
                    # Not awaited: the POST under way may wait for the next poll.
                    pong = asyncio.create_task(self._pong())
                    self._pongs.add(pong)
                    pong.add_done_callback(self._pongs.discard)
                for packet in packets:
                    self._receive(packet)
                if "1" in packets:
                    break
        self.close_code = 1006
        self._news.set()
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("the session ended"))
                waiting.exception()


def enter(door: Door, url: str, query: str = "", shown: str = "", address: str = "") -> Peer:
    """A client that comes from an address of its own, or from the one that is given.

    Args:
        door: what it speaks.
        url: of a gateway.
        query: of its address.
        shown: a token.
        address: where it comes from.
    """
    headers = {"X-Forwarded-For": address} if address else new_address()
    if door == "socket.io":
        return SocketIODoor(url, query, shown, headers)
    if door == "polling":
        return PollingDoor(url, query, shown, headers)
    return Peer(url, query, door, shown, headers)


class Way:
    """A door of a gateway of a cluster that wants tokens, and whom one meets behind it.

    Attributes:
        door: what attackers speak.
        url: of the gateway where they do.
        name: unique to the test; rooms and users begin with it.
    """

    def __init__(self, cluster: Cluster, door: Door, gateway: int, name: str) -> None:
        self.door = door
        self.url = cluster.gateway_url(gateway)
        self.name = name
        self._other = cluster.gateway_url(3 - gateway)

    def user(self, name: str) -> str:
        """A user of this test."""
        return f"{self.name} {name}"

    def enter(self, name: str) -> Peer:
        """Come in as a user of this test by this door."""
        return enter(self.door, self.url, "", pass_for(self.user(name)))

    def victim(self, name: str = "ann") -> Peer:
        """A user of this test at the other gateway."""
        return Peer(self._other, token=pass_for(self.user(name)), headers=new_address())


async def refused(peer: Peer, event: str, data: object = None) -> str:
    """The code with which something is refused."""
    with pytest.raises(Refusal) as refusal:
        await peer.request(event, data)
    return refusal.value.code


async def make(owner: Peer, room: str, password: str = "") -> dict[str, Any]:
    """Let a user make a room and enter it; the reply."""
    await owner.request("createRoom", {"name": room, "password": password})
    joined: dict[str, Any] = await owner.request("joinRoom", {"room": room, "password": password})
    return joined
