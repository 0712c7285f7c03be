"""A client that does not read pays for itself, and nobody else does."""

import socket
import time

import psutil

from tests.support.cluster import Cluster
from tests.support.peer import Peer
from tests.support.stored import eventually


async def silent(cluster: Cluster, room: str, name: str) -> socket.socket:
    """A client of gateway 1 that joins a room and never reads again."""
    client = socket.create_connection(("127.0.0.1", cluster.gateway_port(1)))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sendall(
        f"GET /ws?username={name} HTTP/1.1\r\n".encode()
        + b"Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
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
