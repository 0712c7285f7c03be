"""Full disks: reads go on, sends are refused or wait, and all recovers when there is space."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.small_disk import SmallDisk
from tests.support.socketio_peer import SocketIOPeer
from tests.support.waiting import HANGS_AFTER, eventually
from tests.support.wholeness import until_whole

PROMPT = 10.0
"""Seconds in which a send is answered, also on a busy machine, and in which sends are accepted once
there is space; less than the longest pause before a restart."""

Accepted = dict[int, str]
"""The texts of accepted messages by `seq`."""


class ClusterOnDisk(Cluster):
    """A cluster with its data on a small disk, and its database perhaps on another one."""

    def __init__(self, disk: SmallDisk, *, database: Path | None = None) -> None:
        env = {"DATA_DIR": str(disk.path() / "data"), "WELL_AFTER": "5"}
        if database is not None:
            env["DATABASE_URL"] = f"sqlite+aiosqlite:///{database}"
        super().__init__(data_dir=disk.seen() / "data", env=env)
        self._launcher = disk.launcher
        self._database = database or disk.path() / "data" / "parley.db"

    @property
    def command(self) -> tuple[str, ...]:
        """The cluster, as a process that sees the disk."""
        return (*self._launcher, *super().command)

    async def until_stored(self, count: int) -> None:
        """Wait until SQL has so many messages, asked by a process that sees the disk.

        SQLite follows links in paths, and would look for the file where this process sees none.
        """
        program = "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute(sys.argv[2]))"
        query = "SELECT count(*) FROM events WHERE kind = 'message'"
        words = (*self._launcher, *super().command[:1], "-c", program, str(self._database), query)

        async def stored() -> bool:
            done = await asyncio.to_thread(subprocess.run, words, capture_output=True, check=True)
            return done.stdout == f"({count},)\n".encode()

        await eventually(stored)

    async def status(self, number: int) -> Any:  # noqa: ANN401 - any JSON
        """What gateway `number` shows its operator."""
        async with httpx.AsyncClient(timeout=HANGS_AFTER) as http:
            url = f"http://127.0.0.1:{self.admin_port + number}/status.json"
            return (await http.get(url)).json()

    def said(self, words: str) -> list[str]:
        """The lines of its output with these words."""
        return [line for line in self.lines if words in line]


@asynccontextmanager
async def talking(cluster: Cluster, room: str) -> AsyncIterator[list[Peer]]:
    """Clients on both gateways, each of another format, in a new room."""
    url1, url2 = cluster.gateway_url(1), cluster.gateway_url(2)
    async with AsyncExitStack() as stack:
        peers = [
            await stack.enter_async_context(peer)
            for peer in (
                Peer(url1, "username=1&durable=1", "json"),
                Peer(url2, "username=2&durable=1", "msgpack"),
                SocketIOPeer(url2, "username=3", {"durable": 1}),
            )
        ]
        await peers[0].request("createRoom", {"name": room})
        for peer in peers:
            await peer.request("joinRoom", {"room": room})
        yield peers


async def chat_of(peers: list[Peer]) -> tuple[int, Accepted]:
    """Make a chat of the users 1 and 2 with two stored messages; return its id and their texts."""
    chat = await peers[0].request("createChat", {"user1Id": 1, "user2Id": 2})
    said: Accepted = {}
    for n, peer in enumerate(peers[:2], start=1):
        data = {"senderId": n, "receiverId": 3 - n, "content": f"yarn {n}"}
        said[(await peer.request("sendMessage", data))["seq"]] = f"yarn {n}"
        while "chatId" not in (await peer.next("durable"))["data"]:
            pass
    return chat["id"], said


async def send(peer: Peer, room: str, text: str, accepted: Accepted) -> None:
    """Send a message, and note it if it is accepted."""
    data = {"room": room, "content": text, "clientMsgId": text[:40]}
    async with asyncio.timeout(PROMPT):
        accepted[(await peer.request("message", data))["seq"]] = text


async def send_until_refused(peer: Peer, room: str, name: str, accepted: Accepted) -> Refusal:
    """Send message after message until one is refused; return the refusal."""
    for n in range(100_000):
        try:
            await send(peer, room, f"{name} {n} " + "x" * 500, accepted)
        except Refusal as refusal:
            return refusal
    raise AssertionError("no send was refused")


async def send_until_accepted(peer: Peer, room: str, text: str, accepted: Accepted) -> float:
    """Try to send a message until it is accepted; return the seconds that took."""
    started = time.monotonic()
    async with asyncio.timeout(HANGS_AFTER):
        while text not in accepted.values():
            try:
                await send(peer, room, text, accepted)
            except Refusal as refusal:
                if refusal.code != "broker_unavailable":
                    raise
                await asyncio.sleep(0.1)
    return time.monotonic() - started


async def history(peer: Peer, room: str) -> Accepted:
    """Read the whole history of a room, page by page."""
    found: Accepted = {}
    while True:
        before = {"before": min(found)} if found else {}
        page = await peer.request("history", {"room": room, "limit": 100, **before})
        if not page["items"]:
            return found
        found |= {item["seq"]: item["content"] for item in page["items"]}


@pytest.fixture
async def disk() -> AsyncIterator[SmallDisk]:
    """A disk of 24 MiB."""
    async with SmallDisk(24) as small:
        yield small


@pytest.fixture
async def two_disks() -> AsyncIterator[SmallDisk]:
    """Two disks of 24 MiB."""
    async with SmallDisk(24, count=2) as small:
        yield small


async def test_a_full_disk_ends_nothing(disk: SmallDisk) -> None:
    """While the disk is full members read, sends are `broker_unavailable`, and no process is lost.

    When there is space, sends are accepted within seconds, and all that was accepted is there.
    """
    accepted: Accepted = {}
    async with ClusterOnDisk(disk) as cluster, talking(cluster, "wool") as peers:
        others = [cluster.pid(name) for name in ("cluster", "gateway-1", "gateway-2")]
        for n, peer in enumerate(peers):
            for m in range(20):
                await send(peer, "wool", f"before {n} {m}", accepted)
            await peer.next("durable")
        durable = set(accepted)
        chat, said = await chat_of(peers)
        sending = [
            asyncio.create_task(send_until_refused(peer, "wool", f"while {n}", accepted))
            for n, peer in enumerate(peers)
        ]
        disk.fill()
        for refusal in await asyncio.gather(*sending):
            assert (refusal.code, refusal.retryable) == ("broker_unavailable", True)
        await cluster.wait_line(r"redis ended \(exit code 1\): it starts as soon as .* \(No space")
        for name in ("persister-1", "haproxy"):
            await cluster.wait_restarted(name, old := cluster.kill(name))
            assert cluster.pid(name) != old
        for peer in peers:
            with pytest.raises(Refusal, match="broker_unavailable"):
                await send(peer, "wool", "too early", accepted)
            async with asyncio.timeout(PROMPT):
                assert (await history(peer, "wool")).keys() >= durable
        for number in (1, 2):
            [redis, *_] = (await cluster.status(number))["processes"]
            assert (redis["name"], redis["ending"]) == ("redis", "exit code 1")
            assert "No space left on device" in redis["waitsFor"]
            async with Peer(cluster.gateway_url(number), "username=1") as newcomer:
                page = await newcomer.request("history", {"chatId": chat})
                assert {item["seq"]: item["content"] for item in page["items"]} == said
                assert page["partial"]
            async with Peer(cluster.gateway_url(number), "username=3") as stranger:
                with pytest.raises(Refusal, match="broker_unavailable"):
                    await stranger.request("history", {"chatId": chat})
            async with httpx.AsyncClient(base_url=cluster.gateway_url(number)) as http:
                listed = await http.get("/chats/user/1")
                assert [each["id"] for each in listed.json()] == [chat]
                assert listed.headers["parley-partial"] == "true"
                refused = await http.post("/chats", json={"user1Id": 1, "user2Id": 4})
                assert refused.status_code == 503
        assert len(cluster.said("redis ended")) == 1
        disk.free()
        for n, peer in enumerate(peers):
            assert await send_until_accepted(peer, "wool", f"after {n}", accepted) < PROMPT
        for peer in peers:
            assert await history(peer, "wool") == accepted
        assert others == [cluster.pid(name) for name in ("cluster", "gateway-1", "gateway-2")]
        await until_whole(cluster)
        await cluster.until_stored(len(accepted) + len(said))
        assert (cluster.data_dir / "log" / "cluster.log").read_text().count("redis started") == 2
        assert {each["deadLetters"] for each in (await cluster.status(1))["partitions"]} == {0}


async def test_a_full_disk_of_the_database_delays_storing(two_disks: SmallDisk) -> None:
    """While SQLite's disk is full, sends are accepted, nobody misses anything, and it is told.

    When there is space, all that was accepted is stored, and nothing is set aside.
    """
    accepted: Accepted = {}
    database = two_disks.path(2) / "parley.db"
    async with (
        ClusterOnDisk(two_disks, database=database) as cluster,
        talking(cluster, "wool") as peers,
    ):
        for n, peer in enumerate(peers):
            await send(peer, "wool", f"before {n}", accepted)
            await peer.next("durable")
        durable = [len(peer.all("durable")) for peer in peers]
        two_disks.fill(2)
        for n in range(100):
            for m, peer in enumerate(peers):
                await send(peer, "wool", f"while {n} {m} " + "x" * 3000, accepted)
        await cluster.wait_line("trying again.* error=.*database or disk is full")

        async def outage_is_shown() -> bool:
            [persister] = (await cluster.status(1))["persisters"]
            return "database or disk is full" in str(persister["outage"])

        await eventually(outage_is_shown)
        assert len(cluster.said("database or disk is full")) == 1
        for name in ("persister-1", "gateway-2"):  # what starts anew finds the disk full too
            await cluster.wait_restarted(name, cluster.kill(name))
        await until_whole(cluster)
        async with Peer(cluster.gateway_url(2), "username=late") as late:
            await late.request("joinRoom", {"room": "wool"})
            assert await history(late, "wool") == accepted
        assert await history(peers[0], "wool") == accepted
        assert durable[0] == len(peers[0].all("durable"))
        two_disks.free(2)
        last = max(seq for seq, text in accepted.items() if text.startswith("while 99 0"))
        while (await peers[0].next("durable"))["data"]["seq"] < last:
            pass
        await cluster.until_stored(len(accepted))
        status = await cluster.status(1)
        assert {each["deadLetters"] for each in status["partitions"]} == {0}
        assert {each["failures"] for each in status["processes"]} <= {0, 1}


async def test_a_full_disk_at_the_start_is_one_sentence(disk: SmallDisk) -> None:
    """A cluster that is started on a full disk ends at once, and says why."""
    disk.fill()
    cluster = ClusterOnDisk(disk)
    await cluster.start()
    assert await cluster.wait_ended() == 1
    [sentence] = cluster.lines
    assert sentence.startswith(f"DATA_DIR={disk.path()}/data is on a full disk")


async def test_a_folder_that_cannot_be_written_is_a_bad_setting(tmp_path: Path) -> None:
    """A DATA_DIR that cannot be made, or not be written, is one sentence and exit code 2."""
    (tmp_path / "file").touch()
    cluster = Cluster(data_dir=tmp_path / "file" / "data")
    await cluster.start()
    assert await cluster.wait_ended() == 2
    [sentence] = cluster.lines
    assert sentence == (
        f"DATA_DIR={tmp_path}/file/data cannot be written (Not a directory):"
        " choose another with DATA_DIR="
    )
