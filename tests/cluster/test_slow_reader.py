"""A client that does not read pays for itself, and nobody else does."""

import asyncio
import contextlib
import json
import socket
import time
from typing import Any

import httpx
import psutil
import pytest

from tests.support.cluster import Cluster
from tests.support.peer import Peer
from tests.support.stored import eventually
from tests.support.waiting import HANGS_AFTER


async def silent(cluster: Cluster, room: str, name: str) -> socket.socket:
    """A client of gateway 1 that joins a room and never reads again."""
    client = socket.create_connection(("127.0.0.1", cluster.gateway_port(1)))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sendall(
        f"GET /ws?username={name} HTTP/1.1\r\n".encode()
        + b"Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    client.recv(4096)  # the handshake is the last thing that it reads
    frame = b'{"event":"joinRoom","data":{"room":"' + room.encode() + b'"}}'
    client.sendall(b"\x81" + bytes([0x80 | len(frame)]) + b"\0\0\0\0" + frame)
    return client


async def test_a_client_that_never_reads_costs_others_nothing(sturdy: Cluster, room: str) -> None:
    """It is dropped; the gateway's memory grows by 8 MB at most, others' p99 at most doubles."""
    async with (
        Peer(sturdy.gateway_url(1), "username=ann") as ann,
        Peer(sturdy.gateway_url(1), "username=bob") as bob,
    ):
        await ann.request("createRoom", {"name": room})
        for peer in (ann, bob):
            await peer.request("joinRoom", {"room": room})
        gateway = psutil.Process(sturdy.pid("gateway-1"))

        async def talk(count: int) -> float:
            took = []
            for n in range(count):
                started = time.monotonic()
                await ann.request("message", {"room": room, "content": f"{n} " + "x" * 3990})
                took.append(time.monotonic() - started)
            return sorted(took)[int(count * 0.99)]

        await talk(500)
        before, memory = await talk(1000), gateway.memory_info().rss
        clients = [await silent(sturdy, room, name) for name in ("carl", "dora")]
        while len(ann.all("notification", room)) < 3:
            await ann.next("notification", room=room)
        during = await talk(2000)
        grown = (gateway.memory_info().rss - memory) / 2**20
        print(
            f"p99 {before * 1e3:.1f} ms, with two silent clients {during * 1e3:.1f} ms; "
            f"memory +{grown:.1f} MB"
        )
        assert grown <= 8 * len(clients)
        silent_ports = {client.getsockname()[1] for client in clients}
        await eventually(
            lambda: {c.raddr.port for c in gateway.net_connections("tcp") if c.raddr},
            lambda ports: not ports & silent_ports,
        )
        assert await bob.request("getRooms") == {}
        for client in clients:
            client.close()


SILENT = 25


async def silent_poller(cluster: Cluster, packets: list[str]) -> httpx.AsyncClient:
    """A client of gateway 1 that posts packets and never polls; close it in the end."""
    url = cluster.gateway_url(1)
    http = httpx.AsyncClient(base_url=url, timeout=HANGS_AFTER)
    path = "/socket.io/?EIO=4&transport=polling"
    path += f"&sid={json.loads((await http.get(path)).text[1:])['sid']}"
    for post in ("40", *packets):
        with contextlib.suppress(httpx.ReadTimeout):
            read = HANGS_AFTER if post == "40" else 0.2
            timeout = httpx.Timeout(HANGS_AFTER, read=read)
            await http.post(path, content=post, timeout=timeout)
    return http


@pytest.mark.parametrize("way", ["json", "polling"])
async def test_who_asks_and_does_not_read(sturdy: Cluster, room: str, way: str) -> None:
    """25 clients ask for 1,000 pages each and read none: a gateway grows by 3 MB for each at most.

    Others are served meanwhile.
    """
    async with (
        contextlib.AsyncExitStack() as stack,
        Peer(sturdy.gateway_url(1), "username=ann") as ann,
    ):
        await ann.request("createRoom", {"name": room})
        await ann.request("joinRoom", {"room": room})
        for _ in range(10):
            said = {"room": room, "content": "\N{GRINNING FACE}" * 4000}
            await asyncio.gather(*(ann.request("message", said) for _ in range(100)))
        await ann.request("history", {"room": room, "limit": 1000})
        gateway = psutil.Process(sturdy.pid("gateway-1"))
        memory = gateway.memory_info().rss
        asked = {"room": room, "limit": 1000}
        if way == "json":
            sockets = [
                stack.enter_context(await silent(sturdy, room, f"silent-{n}"))
                for n in range(SILENT)
            ]
            frame = json.dumps({"event": "history", "data": asked, "id": 1}).encode()
            frames = (b"\x81" + bytes([0x80 | len(frame)]) + b"\0\0\0\0" + frame) * 1000
            for one in sockets:
                one.sendall(frames)
        else:
            posts = ["42" + json.dumps(["joinRoom", {"room": room}])]
            posts.append("\x1e".join(["421" + json.dumps(["history", asked])] * 1000))
            pollers = await asyncio.gather(*(silent_poller(sturdy, posts) for _ in range(SILENT)))
            for poller in pollers:
                stack.push_async_callback(poller.aclose)
        took, most = [], 0
        for n in range(200):
            started = time.monotonic()
            await ann.request("seen", {"room": room, "seq": n})
            took.append(time.monotonic() - started)
            most = max(most, gateway.memory_info().rss - memory)
            await asyncio.sleep(0.01)
        print(f"{way}: p99 {sorted(took)[197] * 1e3:.1f} ms; memory +{most / 2**20:.1f} MB")
        assert most <= SILENT * 3 * 2**20
        assert (await ann.request("history", asked))["items"]


async def test_who_lags_is_told_and_resumes(room: str) -> None:
    """A client that reads too late is told `lagged` and closed with 1013; it resumes whole."""
    async with Cluster(env={"OUTBOX_LIMIT": "104192", "MAX_CONTENT": "16000"}) as cluster:
        async with (
            Peer(cluster.gateway_url(1), "username=ann") as ann,
            Peer(cluster.gateway_url(1), "username=bob") as bob,
        ):
            await ann.request("createRoom", {"name": room})
            for peer in (ann, bob):
                await peer.request("joinRoom", {"room": room})
            bob.socket.transport.pause_reading()
            text = "x" * 15_600  # few of them fill what the system keeps for a connection
            for _ in range(400):
                await ann.request("message", {"room": room, "content": text})
                if bob.socket.transport.is_closing():
                    break
            bob.socket.transport.resume_reading()
            assert await bob.closed() in (1013, 1006)
            known = bob.all("message", room)
            have = known[-1]["seq"] if known else 0
            async with Peer(cluster.gateway_url(2), "username=bob") as again:
                await again.request("resume", {"rooms": {room: have}})
                total = len(ann.all("message", room))
                await again.until(total - have, "message", room)
                got = [message["seq"] for message in known + again.all("message", room)]
                assert got == list(range(1, total + 1))


async def test_who_waits_for_pages_is_pinged_as_anybody(room: str) -> None:
    """Who asks for pages and never reads is dropped by the ping; who reads them slowly stays."""
    # Longer than this process may stand still: it answers the pings of those who read.
    async with Cluster(env={"PING_SECONDS": "5"}) as cluster:
        async with (
            Peer(cluster.gateway_url(1), "username=ann") as ann,
            Peer(cluster.gateway_url(1), "username=slow") as slow,
        ):
            await ann.request("createRoom", {"name": room})
            for peer in (ann, slow):
                await peer.request("joinRoom", {"room": room})
            said = {"room": room, "content": "\N{GRINNING FACE}" * 4000}
            await asyncio.gather(*(ann.request("message", said) for _ in range(50)))
            await slow.until(50, "message", room)
            gateway = psutil.Process(cluster.pid("gateway-1"))
            client = await silent(cluster, room, "silent")
            frame = json.dumps({"event": "history", "data": {"room": room}, "id": 1}).encode()
            client.sendall((b"\x81" + bytes([0x80 | len(frame)]) + b"\0\0\0\0" + frame) * 50)
            port = client.getsockname()[1]

            def is_there() -> bool:
                return port in {c.raddr.port for c in gateway.net_connections("tcp") if c.raddr}

            assert is_there()
            asked: list[asyncio.Future[Any]] = []
            while is_there() or not all(each.done() for each in asked):
                if all(each.done() for each in asked):  # who reads slowly does so to the end
                    asked += [
                        asyncio.ensure_future(slow.request("history", {"room": room}))
                        for _ in range(20)
                    ]
                slow.socket.transport.pause_reading()
                await asyncio.sleep(0.3)
                slow.socket.transport.resume_reading()
                await asyncio.sleep(0.02)
            assert all([(await each)["items"] for each in asked])
            assert slow.close_code is None
            client.close()
