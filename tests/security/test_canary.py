"""Passwords, tokens and tickets that nobody may ever see again, sent everywhere they can be."""

import asyncio
import contextlib
import json
import secrets
import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from redis.asyncio import Redis
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from deploy.data_dir import command_line
from tests.support.cluster import Cluster
from tests.support.peer import WIRES, Peer, Refusal, Wire
from tests.support.tokens import JWT, token
from tests.support.waiting import eventually

KEPT_BY_DESIGN = "secret_keys"
"""The file of the keys that sign grants."""


class Canaries:
    """Secrets that are known to a test, and where they were seen.

    Attributes:
        secrets: every one that was sent.
        frames: what clients were sent, the answers that give a secret to its owner left out.
        commands: what Redis was asked to do.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.secrets: list[str] = []
        self.frames: list[str] = []
        self.commands = b""

    def new(self) -> str:
        """A secret that was never seen before."""
        self.secrets.append(f"canary-{secrets.token_hex(8)}")
        return self.secrets[-1]

    def token(self, user: str, **how: Any) -> str:  # noqa: ANN401 - as `token` has them
        """A token, every part of which but the first is a secret.

        Its id is none: by it a token is revoked, and a ticket is kept with it.
        """
        made = token(user, jti=secrets.token_hex(8), **how)
        self.secrets += made.split(".")[1:]
        return made

    def in_text(self, text: str) -> list[str]:
        """Those that a text holds."""
        return [secret for secret in self.secrets if secret in text]

    def in_bytes(self, data: bytes) -> list[str]:
        """Those that stand in some bytes."""
        return [secret for secret in self.secrets if secret.encode() in data]


async def talk(canaries: Canaries, number: int, wire: Wire) -> None:
    """Send secrets in every way a WebSocket has, in order and out of it."""
    url, ann, bob = canaries.cluster.gateway_url(number), f"ann-{wire}", f"bob-{wire}"
    room, password = f"room {wire}", canaries.new()
    async with (
        Peer(url, "", wire) as first,
        Peer(url, "", wire, canaries.token(bob)) as other,
        Peer(url, "", wire, canaries.token("cat")) as watcher,
    ):
        await first.request("authenticate", {"token": canaries.token(ann)})
        await first.request("createRoom", {"name": room, "password": password})
        for peer in (first, other):
            await peer.request("joinRoom", {"room": room, "password": password})
        with pytest.raises(Refusal):
            await watcher.request("joinRoom", {"room": room, "password": canaries.new()})
        await first.request("setPassword", {"room": room, "password": canaries.new()})
        await first.request("message", {"room": room, "content": "hello"})
        for event, data in (
            ("createRoom", {"name": room, "password": canaries.new()}),
            ("createRoom", {"name": "r", "password": canaries.new() * 1000}),
            ("createRoom", {"name": "r", "password": [canaries.new()]}),
            ("createRoom", {"name": 7, "password": canaries.new()}),
            ("joinRoom", {"room": "nowhere", "password": canaries.new()}),
            ("joinRoom", {"room": room, "grant": canaries.new()}),
            ("joinRoom", {"room": room, "password": {"a": canaries.new()}}),
            ("resume", {"rooms": {room: -1}, "grants": {room: canaries.new()}}),
            ("setPassword", {"room": room, "password": canaries.new()}),
            ("noSuchEvent", {"password": canaries.new()}),
            ("authenticate", {"token": [canaries.new()]}),
            ("authenticate", {"token": canaries.token("somebody else")}),
        ):
            with contextlib.suppress(Refusal):
                await watcher.request(event, data)
        if wire == "json":
            await watcher.raw(f'{{"event": "createRoom", "data": {{"password": "{canaries.new()}')
        await other.next("message", room=room)
        for peer in (first, other, watcher):
            canaries.frames += map(repr, peer.frames)


async def be_refused(canaries: Canaries) -> None:
    """Show secrets that let nobody in: in handshakes, queries, bodies and paths."""
    url = canaries.cluster.url
    strange = canaries.token("ann", key="another key, also of more than thirty-two bytes")
    late = canaries.token("ann", lasts=-60)
    for shown in (strange, late, canaries.new()):
        with contextlib.suppress(ConnectionClosed, Refusal, AssertionError):
            async with Peer(url, token=shown) as peer:
                await peer.closed()
            canaries.frames += map(repr, peer.frames)
    for query in (f"token={canaries.token('ann')}", f"ticket={canaries.new()}"):
        async with Peer(url, query) as peer:
            await peer.closed()
        canaries.frames += map(repr, peer.frames)
    async with httpx.AsyncClient(base_url=url) as http:
        for header in (f"Bearer {strange}", f"Basic {canaries.new()}", canaries.new()):
            for path in ("/tickets", "/chats"):
                answer = await http.post(path, headers={"Authorization": header})
                canaries.frames.append(answer.text)
        mine = {"Authorization": f"Bearer {canaries.token('ann')}"}
        for path in ("/chats", "/nothing", "/socket.io/?EIO=4&transport=polling"):
            body = f'{{"password": "{canaries.new()}'
            answer = await http.post(path, headers=mine, content=body)
            canaries.frames.append(answer.text)
        answer = await http.get("/chats/user/ann", params={"token": canaries.token("ann")})
        canaries.frames.append(answer.text)


async def enter_by_ticket(canaries: Canaries) -> None:
    """Take tickets, use each twice, on a WebSocket and over Socket.IO."""
    async with httpx.AsyncClient(base_url=canaries.cluster.url) as http:
        shown = {"Authorization": f"Bearer {canaries.token('dan')}"}
        tickets = [(await http.post("/tickets", headers=shown)).json()["ticket"] for _ in range(2)]
    canaries.secrets += tickets
    for _ in range(2):
        async with Peer(canaries.cluster.url, f"ticket={tickets[0]}&welcome=1") as peer:
            await peer.next("welcome" if _ == 0 else "error")
        canaries.frames += map(repr, peer.frames)
    address = f"{canaries.cluster.ws_url}/socket.io/?EIO=4&transport=websocket"
    wrong = {"username": 7, "token": [canaries.new()]}
    for auth in ({"ticket": tickets[1]}, {"ticket": tickets[1]}, wrong):
        async with connect(address) as socket:
            await socket.recv()
            await socket.send("40" + json.dumps(auth))
            canaries.frames.append(str(await socket.recv()))
            bad = json.dumps(["createRoom", {"name": [], "password": canaries.new()}])
            with contextlib.suppress(ConnectionClosed):
                await socket.send(f"420{bad}")
                canaries.frames.append(str(await socket.recv()))


async def lose_the_broker(canaries: Canaries) -> None:
    """Send secrets while Redis and the persister die, so that errors are logged."""
    cluster = canaries.cluster
    async with Peer(cluster.gateway_url(1), token=canaries.token("eve")) as eve:
        redis = cluster.kill("redis")
        cluster.kill("persister-1")
        with contextlib.suppress(Refusal):
            await eve.request("createRoom", {"name": "lost", "password": canaries.new()})
        with contextlib.suppress(Refusal):
            await eve.request("joinRoom", {"room": "room json", "password": canaries.new()})
        await cluster.wait_restarted("redis", redis)

        async def made() -> bool:
            try:
                await eve.request("createRoom", {"name": "found", "password": canaries.new()})
            except Refusal as refusal:
                # A password costs five joins: who asks too soon is closed for it in the end.
                await asyncio.sleep((refusal.retry_after or 0) / 1000)
                return refusal.code == "room_exists"
            return True

        await eventually(made)
        canaries.frames += map(repr, eve.frames)


@contextlib.asynccontextmanager
async def overheard(canaries: Canaries) -> AsyncIterator[None]:
    """Keep every command that Redis gets while the block runs."""
    reader, writer = await asyncio.open_connection("127.0.0.1", canaries.cluster.port + 500)
    password = urlsplit(canaries.cluster.redis_url).password
    writer.write(f"AUTH {password}\r\nMONITOR\r\n".encode())
    assert [await reader.readline() for _ in range(2)] == [b"+OK\r\n"] * 2

    async def listen() -> None:
        while chunk := await reader.read(65_536):
            canaries.commands += chunk

    listening = asyncio.create_task(listen())
    try:
        yield
    finally:
        writer.close()
        listening.cancel()
        await asyncio.wait([listening])


@pytest_asyncio.fixture(scope="module")
async def canaries() -> AsyncIterator[Canaries]:
    """A cluster that was told every secret, in every way."""
    async with Cluster(env={**JWT, "LOG_LEVEL": "debug"}) as cluster:
        known = Canaries(cluster)
        async with overheard(known):
            for number, wire in enumerate(WIRES, 1):
                await talk(known, number, wire)
            await be_refused(known)
            await enter_by_ticket(known)
        await lose_the_broker(known)
        yield known


def files(folder: Path) -> list[Path]:
    """Every file below a folder but the one that keeps keys."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.name != KEPT_BY_DESIGN]
    assert found
    return found


async def test_nothing_in_logs(canaries: Canaries) -> None:
    """No secret and no hash of one is said by any process, nor kept in a log."""
    said = canaries.cluster.lines + canaries.cluster.stdout
    logs = [path.read_text() for path in files(canaries.cluster.data_dir / "log")]
    assert any('"event":"wrong_password"' in log for log in logs)  # the trail is among them
    text = "\n".join(said + logs)
    assert "publish failed" in text or "subscriber lost the broker" in text  # there were errors
    assert canaries.in_text(text) == []
    assert "$argon2" not in text


async def test_nothing_in_files(canaries: Canaries) -> None:
    """No secret is in the data folder: SQL, Redis's append-only file, configuration."""
    paths = files(canaries.cluster.data_dir)
    assert {"parley.db", "haproxy.cfg"} <= {path.name for path in paths}
    assert any(path.suffix == ".aof" for path in paths)
    assert {
        path.name: found for path in paths if (found := canaries.in_bytes(path.read_bytes()))
    } == {}


async def test_nothing_in_sql(canaries: Canaries) -> None:
    """No secret is in any column of any table; of passwords there are hashes."""
    with contextlib.closing(sqlite3.connect(canaries.cluster.database)) as database:
        text = "\n".join(database.iterdump())
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in text
    assert canaries.in_text(text) == []


async def test_nothing_in_redis(canaries: Canaries) -> None:
    """No secret is in a key or value of Redis, nor in any command it was sent."""
    async with Redis.from_url(canaries.cluster.redis_url) as connected:
        redis: Any = connected
        readers = {
            b"string": redis.get,
            b"hash": redis.hgetall,
            b"zset": partial(redis.zrange, start=0, end=-1),
            b"set": redis.smembers,
            b"stream": redis.xrange,
            b"none": redis.get,  # it expired just now
        }
        keys = [key async for key in redis.scan_iter(count=1000)]
        values = [(key, await readers[await redis.type(key)](key)) for key in keys]
    assert any(b"room" in key for key in keys)
    assert canaries.in_text(repr(values)) == []
    assert canaries.commands.count(b"SPUBLISH") > 5
    assert canaries.in_bytes(canaries.commands) == []


async def test_nothing_in_events(canaries: Canaries) -> None:
    """No client is sent a secret, its own or another's, whatever it did wrong, nor a hash."""
    text = "\n".join(canaries.frames)
    assert len(canaries.frames) > 30
    assert canaries.in_text(text) == []
    assert "argon2" not in text


def environment(pid: int) -> str:
    """What a process was given as its environment."""
    return Path(f"/proc/{pid}/environ").read_text(encoding="utf-8")


async def test_nothing_for_onlookers(canaries: Canaries) -> None:
    """No secret is on a command line, where every user of the machine sees it, or in metrics."""
    cluster = canaries.cluster
    pids = [int(file.read_text()) for file in (cluster.data_dir / "run").glob("*.pid")]
    lines = [command_line(pid) for pid in pids]
    assert len(list(filter(None, lines))) >= 5
    async with httpx.AsyncClient() as http:
        for number, path in ((0, "/status.json"), (1, "/metrics"), (101, "/metrics")):
            url = f"http://127.0.0.1:{cluster.admin_port + number}{path}"
            lines.append((await http.get(url)).text)
    # Nor in the environment of a server that others wrote.
    lines += [environment(cluster.pid(name)) for name in ("redis", "haproxy")]
    text = "\n".join(lines)
    assert canaries.in_text(text) == []
    assert JWT["JWT_KEY"] not in text
