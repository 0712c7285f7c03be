"""The broker restarts, comes back empty or older, loses scripts and subscribers."""

import asyncio
import json
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import redis.asyncio

from deploy.servers.aof import FOLDER, newest
from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.proxy import Proxy
from tests.support.stored import eventually, messages
from tests.support.valkey import Valkey
from tests.support.waiting import HANGS_AFTER, until_gone


async def accepted(peer: Peer, room: str, text: str) -> dict[str, Any]:
    """Send until it is accepted; only retryable refusals may come before."""
    data = {"room": room, "content": text, "clientMsgId": text}
    async with asyncio.timeout(HANGS_AFTER):
        while True:
            try:
                reply: dict[str, Any] = await peer.request("message", data)
            except Refusal as refusal:
                if not refusal.retryable:
                    raise
                await asyncio.sleep(0.05)
            else:
                return reply


async def two_in(cluster: Cluster, room: str) -> list[Peer]:
    """Ann on gateway 1 and Bob on gateway 2, in a new room."""
    ann = await Peer(cluster.gateway_url(1), "username=ann&durable=1").__aenter__()
    bob = await Peer(cluster.gateway_url(2), "username=bob").__aenter__()
    await ann.request("createRoom", {"name": room})
    for peer in (ann, bob):
        await peer.request("joinRoom", {"room": room})
    return [ann, bob]


async def stored(cluster: Cluster, room: str, count: int) -> None:
    """Wait until SQL has so many messages of a room."""
    await eventually(lambda: len(messages(cluster.database, room)), lambda found: found >= count)


async def goes_on(cluster: Cluster, peers: list[Peer], room: str, known: dict[int, str]) -> None:
    """Clients are told to resume; new messages sort after all known ones, which stay."""
    ann, bob = peers
    for peer in peers:
        told = await peer.next("resume_required")
        assert told["data"] == {"rooms": [room], "chats": []}
    head = max(known)
    new = [await accepted(ann, room, f"after {n}") for n in range(3)]
    assert min(reply["seq"] for reply in new) > head
    await stored(cluster, room, len(known) + 3)
    table = {seq: content for seq, _, content in messages(cluster.database, room)}
    assert table == known | {reply["seq"]: f"after {n}" for n, reply in enumerate(new)}
    for peer in peers:
        while peer.all("message", room)[-1]["content"] != "after 2":
            await peer.next("message", room=room)
        places = [message["seq"] for message in peer.all("message", room)]
        assert places == sorted(set(places))
    page = await bob.request("history", {"room": room})
    assert {item["seq"]: item["content"] for item in page["items"]} == table
    for peer in peers:
        await peer.__aexit__(None, None, None)


async def test_redis_restarts_without_loss(sturdy: Cluster, room: str) -> None:
    """Kill -9 Redis: sends are refused as retryable, then go on; nothing is lost or renumbered."""
    peers = await two_in(sturdy, room)
    known = {}
    for n in range(20):
        known[(await accepted(peers[0], room, f"{n}"))["seq"]] = f"{n}"
    sturdy.kill("redis")
    started = time.monotonic()
    first = await accepted(peers[0], room, "first")
    print(f"sends ok again {time.monotonic() - started:.2f} s after kill -9 of Redis")
    known[first["seq"]] = "first"
    await goes_on(sturdy, peers, room, known)


async def test_redis_comes_back_empty(sturdy: Cluster, room: str) -> None:
    """FLUSHALL: what was durable stays, new messages sort after it, clients are told to resume."""
    peers = await two_in(sturdy, room)
    known = {}
    for n in range(20):
        known[(await accepted(peers[0], room, f"{n}"))["seq"]] = f"{n}"
    await stored(sturdy, room, 20)
    broker: Any = redis.asyncio.Redis.from_url(sturdy.redis_url)
    await broker.flushall()
    await broker.aclose()
    await goes_on(sturdy, peers, room, known)


async def test_redis_comes_back_older(sturdy: Cluster, room: str, tmp_path: Path) -> None:
    """An older AOF is put back: no number is used twice, and SQL keeps what it has."""
    peers = await two_in(sturdy, room)
    known = {}
    for n in range(10):
        known[(await accepted(peers[0], room, f"{n}"))["seq"]] = f"{n}"
    await stored(sturdy, room, 10)
    aof = next(sturdy.data_dir.rglob("appendonlydir"))
    kept = tmp_path / "older"
    shutil.copytree(aof, kept)
    for n in range(10, 30):
        known[(await accepted(peers[0], room, f"{n}"))["seq"]] = f"{n}"
    await stored(sturdy, room, 30)
    # While the supervisor is paused nothing starts Redis again.
    sturdy.kill("cluster", signal.SIGSTOP)
    gone = sturdy.kill("redis")
    await until_gone(gone)
    shutil.rmtree(aof)
    shutil.copytree(kept, aof)
    sturdy.kill("cluster", signal.SIGCONT)
    await sturdy.wait_restarted("redis", gone)
    await goes_on(sturdy, peers, room, known)


async def test_redis_finds_garbage_in_its_file(sturdy: Cluster, room: str) -> None:
    """Garbage behind the last fsync: the cluster cuts it off, keeps it, and loses nothing."""
    peers = await two_in(sturdy, room)
    known = {}
    for n in range(20):
        known[(await accepted(peers[0], room, f"{n}"))["seq"]] = f"{n}"
    file = newest(sturdy.data_dir / FOLDER)
    assert file is not None
    sturdy.kill("cluster", signal.SIGSTOP)
    gone = sturdy.kill("redis")
    await until_gone(gone)
    garbage = b"\x00\xff what is this? \r\n"
    with file.open("ab") as opened:
        opened.write(garbage)
    lines = len(sturdy.lines)
    sturdy.kill("cluster", signal.SIGCONT)
    said = await sturdy.wait_line(r"was broken: (\d+) bytes .* a copy is in (\S+)", after=lines)
    assert int(said[1]) == 19
    assert Path(said[2]).read_bytes() == garbage  # noqa: ASYNC240  a few bytes
    await goes_on(sturdy, peers, room, known)


async def test_scripts_are_lost(sturdy: Cluster, room: str) -> None:
    """SCRIPT FLUSH under load is not noticed by anybody."""
    ann, bob = await two_in(sturdy, room)
    broker: Any = redis.asyncio.Redis.from_url(sturdy.redis_url)
    for n in range(200):
        if n % 10 == 0:
            await broker.script_flush()
        reply = await ann.request("message", {"room": room, "content": str(n)})
        assert reply["seq"] == n + 1
    got = await bob.until(200, "message", room)
    assert [message["content"] for message in got] == [str(n) for n in range(200)]
    await stored(sturdy, room, 200)
    for peer in (ann, bob):
        await peer.__aexit__(None, None, None)
    await broker.aclose()


async def test_pubsub_is_cut_under_load(sturdy: Cluster, room: str) -> None:
    """Killed pub/sub connections under load: every client gets each message once, in order."""
    ann, bob = await two_in(sturdy, room)
    broker: Any = redis.asyncio.Redis.from_url(sturdy.redis_url)
    healed = []
    for round_ in range(20):
        for n in range(50):
            if n == 25:
                await broker.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            await ann.request("message", {"room": room, "content": f"{round_}.{n}"})
        started = time.monotonic()
        await bob.until(50 * (round_ + 1), "message", room)
        healed.append(time.monotonic() - started)
    await ann.until(1000, "message", room)
    for peer in (ann, bob):
        assert [m["seq"] for m in peer.all("message", room)] == list(range(1, 1001))
        assert not peer.all("error")
        await peer.__aexit__(None, None, None)
    print(f"pub/sub gap healed: median {sorted(healed)[10]:.2f} s, worst {max(healed):.2f} s")
    await broker.aclose()


async def test_redis_stands_still(sturdy: Cluster, room: str) -> None:
    """SIGSTOP Redis: gateways keep their connections and say so; resumed, everything goes on."""
    ann, bob = await two_in(sturdy, room)
    await accepted(ann, room, "before")
    sturdy.kill("redis", signal.SIGSTOP)
    sending = asyncio.create_task(accepted(ann, room, "during"))
    await cluster_says_not_ready(sturdy)
    sturdy.kill("redis", signal.SIGCONT)
    during = await sending
    after = await accepted(bob, room, "after")
    assert during["seq"] < after["seq"]
    await bob.until(3, "message", room)
    assert [m["content"] for m in bob.all("message", room)] == ["before", "during", "after"]
    for peer in (ann, bob):
        assert peer.close_code is None
        await peer.__aexit__(None, None, None)


async def cluster_says_not_ready(cluster: Cluster) -> None:
    """Wait until the load balancer passes on what gateways say, rather than refuse."""

    def not_ready() -> bool:
        try:
            return "not ready" in httpx.get(f"{cluster.url}/health/ready").text
        except httpx.HTTPError:
            return False

    await eventually(not_ready, bool)


async def test_a_failover_there_and_back(room: str) -> None:
    """From server A to a replica B that lags, and back to A: no number means two messages."""
    async with Valkey() as one, Valkey() as other, Proxy(one.port) as proxy:
        async with Cluster(env={"REDIS_URL": proxy.url}) as cluster:
            peers = await two_in(cluster, room)
            replies: list[tuple[int, str]] = []

            async def say(text: str) -> None:
                replies.append(((await accepted(peers[0], room, text))["seq"], text))

            for n in range(10):
                await say(f"on A {n}")
            await other.follow(one)
            await other.lead()
            # B does not get these: they are accepted by A, and stored.
            for n in range(10):
                await say(f"on A alone {n}")
            await stored(cluster, room, 20)
            proxy.switch(other.port)
            for n in range(10):
                await say(f"on B {n}")
            await stored(cluster, room, 30)
            # A comes back as it was, with what B accepted missing: it may accept nothing.
            proxy.switch(one.port)
            for n in range(10):
                await say(f"on A again {n}")
            await stored(cluster, room, 40)
            # And an orderly failover: A follows B, then leads again.
            await other.follow(one)
            await other.lead()
            proxy.switch(other.port)
            await say("on B again")
            await one.follow(other)
            await one.lead()
            proxy.switch(one.port)
            await say("on A at last")
            await stored(cluster, room, 42)
            assert [seq for seq, _ in replies] == sorted({seq for seq, _ in replies})
            table = [(seq, content) for seq, _, content in messages(cluster.database, room)]
            assert table == replies
            page = await peers[1].request("history", {"room": room})
            assert [(item["seq"], item["content"]) for item in page["items"]] == replies
            for peer in peers:
                assert peer.all("resume_required")
                await peer.__aexit__(None, None, None)


async def test_a_gateway_leaves_a_server_that_was_left_behind(room: str) -> None:
    """A gateway whose connections stayed with the old server goes to the new one by itself.

    What was said on the new server meanwhile reaches its clients, who are told to resume.
    """
    async with (
        Valkey() as one,
        Valkey() as other,
        Proxy(one.port) as proxy,
        Proxy(one.port) as stays,
    ):
        environs = {"gateway-2": {"REDIS_URL": stays.url}}
        env = {
            "REDIS_URL": proxy.url,
            "PROCESS_ENVIRONS": json.dumps(environs),
            "PROCESS_PRELUDES": "{}",
        }
        async with Cluster(env=env, module="tests.faults.launcher") as cluster:
            ann, bob = await two_in(cluster, room)
            # Its first replica gives a server another replid: an epoch before the one that this is
            # about, and begun when "before" is accepted.
            await other.follow(one)
            await accepted(ann, room, "before")
            await bob.next("message", room=room)
            told = len(bob.all("resume_required"))
            await other.lead()
            proxy.switch(other.port)
            stays.switch(other.port, cut=False)
            await accepted(ann, room, "after")
            frame = await bob.next("message", room=room)
            assert frame["data"]["content"] == "after"
            await bob.until(told + 1, "resume_required", None)
            for peer in (ann, bob):
                await peer.__aexit__(None, None, None)
