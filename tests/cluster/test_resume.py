"""Going on where one was: resume, grants, the second word, on any gateway."""

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from websockets.exceptions import InvalidHandshake

from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal, Wire
from tests.support.ports import free_port
from tests.support.process import ROOT, environ
from tests.support.stored import eventually, messages


def seqs(peer: Peer, room: str) -> list[int]:
    """The places of the messages of a room that came, in order of coming."""
    return [message["seq"] for message in peer.all("message", room)]


async def fill(peer: Peer, room: str, count: int) -> None:
    """Say so many things in a room."""
    sends = (peer.request("message", {"room": room, "content": str(n)}) for n in range(count))
    await asyncio.gather(*sends)


async def test_resume_brings_what_was_missed_then_live(
    cluster: Cluster, wire: Wire, room: str
) -> None:
    """While others talk on, a resume on any gateway brings each missed message once, in order."""
    async with Peer(cluster.gateway_url(1), "username=ann", wire) as ann:
        await ann.request("createRoom", {"name": room})
        await ann.request("joinRoom", {"room": room})
        await fill(ann, room, 5)
        talking = asyncio.create_task(fill(ann, room, 2500))
        for gateway in (1, 2, 1, 2):
            async with Peer(cluster.gateway_url(gateway), "username=bob", wire) as bob:
                reply = await bob.request("resume", {"rooms": {room: 2}})
                head = reply["rooms"][room]["head"]
                assert reply == {"rooms": {room: {"recovered": True, "head": head}}, "chats": {}}
                got = seqs(bob, room)
                assert got[: head - 2] == list(range(3, head + 1))
                await bob.until(min(head + 50, 2503), "message", room)
                got = seqs(bob, room)
                assert got == list(range(3, 3 + len(got)))
        await talking
        async with Peer(cluster.gateway_url(2), "username=bob", wire) as bob:
            await bob.request("resume", {"rooms": {room: 0}})
            await bob.until(2505, "message", room)
            assert seqs(bob, room) == list(range(1, 2506))
            order = [frame["event"] for frame in bob.frames if frame.get("room") == room]
            assert set(order) == {"message"}


@pytest.fixture(scope="module")
async def frugal() -> AsyncIterator[Cluster]:
    """One whose broker soon forgets events and ids, and where a crowd is not told who comes."""
    env = {"LOG_LENGTH": "100", "DEDUPE_MINUTES": "0.01", "BROADCAST_LIMIT": "20"}
    async with Cluster(env=env) as running:
        yield running


async def test_resume_from_sql(frugal: Cluster, room: str) -> None:
    """What the log no longer holds comes from SQL, with deletions and cursors of meanwhile."""
    async with (
        Peer(frugal.gateway_url(1), "username=ann") as ann,
        Peer(frugal.gateway_url(2), "username=bob") as bob,
    ):
        await ann.request("createRoom", {"name": room})
        for peer in (ann, bob):
            await peer.request("joinRoom", {"room": room})
        await fill(ann, room, 1500)
        got = await bob.until(1500, "message", room)
        await ann.until(1500, "message", room)
        await ann.request("deleteMessage", got[699]["id"])
        await bob.request("seen", {"room": room, "seq": got[-1]["seq"]})
        await eventually(lambda: messages(frugal.database, room), lambda rows: len(rows) == 1500)
        async with Peer(frugal.gateway_url(2), "username=carol") as carol:
            reply = await carol.request("resume", {"rooms": {room: 10}})
            assert reply["rooms"][room] == {"recovered": True, "head": 1501}
            assert seqs(carol, room) == [n for n in range(11, 1501) if n != 700]
            [gone] = carol.all("messageDeleted", room)
            assert gone["seq"] == 1501
            assert {"user": "bob", "seq": 1500} in carol.all("seen", room)


async def test_resume_of_chats(cluster: Cluster, wire: Wire) -> None:
    """A chat is resumed by either user and nobody else, before they come online."""
    base = 71_000 if wire == "json" else 71_010
    async with (
        Peer(cluster.gateway_url(1), f"username={base + 1}", wire) as ann,
        Peer(cluster.gateway_url(1), f"username={base + 3}", wire) as eve,
    ):
        chat = 0
        for n in range(20):
            data = {"senderId": base + 1, "receiverId": base + 2, "content": str(n)}
            chat = (await ann.request("sendMessage", data))["chatId"]
        async with Peer(cluster.gateway_url(2), f"username={base + 2}", wire) as bob:
            reply = await bob.request("resume", {"chats": {str(chat): 4}})
            assert reply == {"rooms": {}, "chats": {str(chat): {"recovered": True, "head": 20}}}
            await bob.request("userOnline", base + 2)
            data = {"senderId": base + 1, "receiverId": base + 2, "content": "live"}
            await ann.request("sendMessage", data)
            got = await bob.until(17, "newMessage", None)
            assert [message["seq"] for message in got] == list(range(5, 22))
        reply = await eve.request("resume", {"chats": {str(chat): 0, "999999": 0}})
        nothing = {"recovered": False, "head": 0}
        assert reply == {"rooms": {}, "chats": {str(chat): nothing, "999999": nothing}}
        assert not eve.all("newMessage")


async def test_resume_of_a_live_chat_repeats_nothing(cluster: Cluster, wire: Wire) -> None:
    """What came to an online user by itself is not sent again, what was before it is."""
    ann_id, bob_id = (72_001, 72_002) if wire == "json" else (72_011, 72_012)
    async with (
        Peer(cluster.gateway_url(1), f"username={ann_id}", wire) as ann,
        Peer(cluster.gateway_url(2), f"username={bob_id}", wire) as bob,
    ):

        async def say(content: str) -> int:
            data = {"senderId": ann_id, "receiverId": bob_id, "content": content}
            return int((await ann.request("sendMessage", data))["chatId"])

        for n in range(5):
            chat = await say(f"before {n}")
        await bob.request("userOnline", bob_id)
        for n in range(5):
            await say(f"live {n}")
        await bob.until(5, "newMessage", None)
        reply = await bob.request("resume", {"chats": {str(chat): 3}})
        assert reply["chats"][str(chat)] == {"recovered": True, "head": 10}
        await say("after")
        got = [message["seq"] for message in await bob.until(8, "newMessage", None)]
        assert got == [6, 7, 8, 9, 10, 4, 5, 11]


async def test_resume_while_live_repeats_nothing(cluster: Cluster, room: str) -> None:
    """On a connection that is in the room already, a resume sends nothing twice."""
    async with (
        Peer(cluster.gateway_url(1), "username=ann") as ann,
        Peer(cluster.gateway_url(2), "username=bob") as bob,
    ):
        await ann.request("createRoom", {"name": room})
        for peer in (ann, bob):
            await peer.request("joinRoom", {"room": room})
        talking = asyncio.create_task(fill(ann, room, 1000))
        for _ in range(20):
            known = seqs(bob, room)[-1:] or [0]
            await bob.request("resume", {"rooms": {room: known[0]}})
        await talking
        await bob.until(1000, "message", room)
        assert seqs(bob, room) == list(range(1, 1001))


async def test_a_grant_opens_its_room_to_its_user_alone(cluster: Cluster, room: str) -> None:
    """A protected room is not entered by a resume, but with the grant of its user and password."""
    async with (
        Peer(cluster.gateway_url(1), "username=ann") as ann,
        Peer(cluster.gateway_url(2), "username=eve") as eve,
    ):
        await ann.request("createRoom", {"name": room, "password": "pw"})
        grant = (await ann.request("joinRoom", {"room": room, "password": "pw"}))["grant"]
        await fill(ann, room, 3)
        refused = {"recovered": False, "head": 0}
        for grants in ({}, {room: grant}, {room: grant[:-1] + "A"}, {room: "x"}):
            reply = await eve.request("resume", {"rooms": {room: 0}, "grants": grants})
            assert reply["rooms"][room] == refused
        with pytest.raises(Refusal):
            await eve.request("joinRoom", {"room": room, "grant": grant})
        assert not eve.all("message", room)
        async with Peer(cluster.gateway_url(2), "username=ann") as again:
            data = {"rooms": {room: 1}, "grants": {room: grant}}
            reply = await again.request("resume", data)
            assert reply["rooms"][room] == {"recovered": True, "head": 3}
        async with Peer(cluster.gateway_url(2), "username=ann") as again:
            assert (await again.request("joinRoom", {"room": room, "grant": grant}))["head"] == 3


async def test_500_come_back_into_a_protected_room(frugal: Cluster, room: str) -> None:
    """500 clients that reconnect at once with their grants need no password: none is sent."""
    async with Peer(frugal.gateway_url(1), "username=crowd") as first:
        await first.request("createRoom", {"name": room, "password": "pw"})
        grant = (await first.request("joinRoom", {"room": room, "password": "pw"}))["grant"]
        await first.request("message", {"room": room, "content": "x"})

        async def come_back(n: int) -> float:
            started = time.monotonic()
            async with Peer(frugal.gateway_url(1 + n % 2), "username=crowd") as peer:
                data = {"rooms": {room: 0}, "grants": {room: grant}}
                reply = await peer.request("resume", data)
                assert reply["rooms"][room]["recovered"] is True
                return time.monotonic() - started

        took = await asyncio.gather(*(come_back(n) for n in range(500)))
        print(f"500 back in a protected room: last after {max(took):.2f} s")


@asynccontextmanager
async def gateway_without_sql(cluster: Cluster) -> AsyncIterator[str]:
    """One more gateway of a cluster, whose database is nowhere: every SQL statement fails."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        cwd=ROOT,
        env=environ(
            {
                "PORT": str(port),
                "REDIS_URL": cluster.redis_url,
                "DATABASE_URL": "sqlite+aiosqlite:////nowhere/at/all.db",
                "GATEWAY_NAME": "gateway-blind",
                # What a gateway asks SQL for as it starts, unless it is told.
                "NAMESPACE": cluster.namespace,
                "PARTITIONS": "8",
            }
        ),
    )
    url = f"http://127.0.0.1:{port}"
    try:

        def ready() -> bool:
            try:
                return httpx.get(f"{url}/health/ready").status_code == 200
            except httpx.HTTPError:
                return False

        await eventually(ready, lambda so: so)
        yield url
    finally:
        process.terminate()
        await process.wait()


async def test_resume_from_the_log_costs_the_database_nothing(cluster: Cluster, room: str) -> None:
    """A resume of 1,000 missed messages works on a gateway that has no database at all."""
    async with (
        Peer(cluster.gateway_url(1), "username=ann") as ann,
        gateway_without_sql(cluster) as blind,
    ):
        await ann.request("createRoom", {"name": room})
        await ann.request("joinRoom", {"room": room})
        await fill(ann, room, 1000)
        took = []
        for _ in range(50):
            async with Peer(blind, "username=bob") as bob:
                started = time.monotonic()
                reply = await bob.request("resume", {"rooms": {room: 0}})
                took.append(time.monotonic() - started)
                assert reply["rooms"][room] == {"recovered": True, "head": 1000}
                assert seqs(bob, room) == list(range(1, 1001))
        p99 = statistics.quantiles(took, n=100)[98]
        print(f"resume of 1,000 missed: p50 {statistics.median(took):.3f} s, p99 {p99:.3f} s")


async def test_durable_comes_when_sql_has_it(cluster: Cluster, wire: Wire, room: str) -> None:
    """Who asks for it hears a second word for its sends, once SQL has them, coalesced."""
    async with (
        Peer(cluster.gateway_url(1), "username=72001&durable=1", wire) as ann,
        Peer(cluster.gateway_url(2), "username=72002", wire) as bob,
    ):
        await ann.request("createRoom", {"name": room})
        for peer in (ann, bob):
            await peer.request("joinRoom", {"room": room})
        for n in range(10):
            sent = await ann.request("message", {"room": room, "content": str(n)})
            word = (await ann.next("durable"))["data"]
            assert word == {"room": room, "seq": sent["seq"]}
            assert len(messages(cluster.database, room)) == n + 1
        await fill(ann, room, 300)
        while (await ann.next("durable"))["data"] != {"room": room, "seq": 310}:
            pass
        assert len(ann.all("durable")) < 310
        data = {"senderId": 72001, "receiverId": 72002, "content": "x"}
        sent = await ann.request("sendMessage", data)
        word = (await ann.next("durable"))["data"]
        assert word == {"chatId": sent["chatId"], "seq": sent["seq"]}
        assert not bob.all("durable")


async def test_resend_is_looked_up_in_sql(frugal: Cluster, room: str) -> None:
    """A send marked `resend` that SQL has is that message, though the broker has forgotten it."""
    async with Peer(frugal.url, "username=ann&durable=1") as ann:
        await ann.request("createRoom", {"name": room})
        await ann.request("joinRoom", {"room": room})
        data = {"room": room, "content": "x", "clientMsgId": "one"}
        sent = await ann.request("message", data)
        await ann.next("durable")
        # It is remembered for DEDUPE_MINUTES, 0.6 s here, and the rest of the period after.
        await asyncio.to_thread(time.sleep, 1.3)
        assert await ann.request("message", {**data, "resend": True}) == sent
        assert (await ann.next("durable"))["data"]["seq"] == sent["seq"]
        assert len(ann.all("message", room)) == 1
        # Sent again without the mark it is accepted, refused by SQL, and taken back.
        again = await ann.request("message", data)
        assert again["seq"] == sent["seq"] + 1
        gone = await ann.next("messageDeleted", room=room)
        assert gone["data"]["messageId"] == again["id"]
        page = await ann.request("history", {"room": room})
        shown = [item for item in page["items"] if not item.get("deleted")]
        assert [item["id"] for item in shown] == [sent["id"]]


async def test_clients_of_a_killed_gateway_are_back(sturdy: Cluster, room: str) -> None:
    """200 clients of a killed gateway resume elsewhere while others talk, and miss nothing."""
    async with Peer(sturdy.gateway_url(2), "username=ann") as ann:
        await ann.request("createRoom", {"name": room})
        await ann.request("joinRoom", {"room": room})
        peers = await asyncio.gather(
            *(Peer(sturdy.gateway_url(1)).__aenter__() for _ in range(200))
        )
        for peer in peers:
            await peer.request("joinRoom", {"room": room})
        await fill(ann, room, 100)
        for peer in peers:
            await peer.until(100, "message", room)
        sturdy.kill("gateway-1")
        killed = time.monotonic()
        talking = asyncio.create_task(fill(ann, room, 200))

        async def come_back(peer: Peer) -> float:
            await peer.closed()
            have = seqs(peer, room)
            while True:
                try:
                    again = await Peer(sturdy.url).__aenter__()
                    break
                except (OSError, InvalidHandshake):  # the balancer may not know yet
                    await asyncio.sleep(0.05)
            await again.request("resume", {"rooms": {room: have[-1]}})
            back = time.monotonic() - killed
            await again.until(300 - len(have), "message", room)
            assert have + seqs(again, room) == list(range(1, 301))
            await again.__aexit__(None, None, None)
            return back

        took = sorted(await asyncio.gather(*map(come_back, peers)))
        await talking
        print(f"back after kill -9: p50 {took[100]:.2f} s, p99 {took[197]:.2f} s")
