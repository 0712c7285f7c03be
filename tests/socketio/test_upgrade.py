"""Transports change in the middle of traffic, and a client that polls late pays for itself."""

import asyncio
import contextlib
import json

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.socketio.clients import Node, Version
from tests.support.cluster import Cluster
from tests.support.peer import Peer
from tests.support.waiting import HANGS_AFTER, eventually


async def test_upgrade_in_the_middle_of_traffic(
    node: Node, cluster: Cluster, version: Version, room: str
) -> None:
    """Clients that join and talk while they upgrade miss nothing, get nothing twice, keep order."""
    async with Peer(cluster.url, "username=ann") as ann:
        await ann.request("createRoom", {"name": room})
        await ann.request("joinRoom", {"room": room})
        ending = asyncio.Event()
        sent = 0

        async def flood() -> None:
            nonlocal sent
            while not ending.is_set():
                some = [{"room": room, "content": str(sent + n)} for n in range(10)]
                await asyncio.gather(*(ann.request("message", message) for message in some))
                sent += 10

        flooding = asyncio.create_task(flood())
        clients = [node.begin(cluster.url, version=version) for _ in range(10)]
        for client in clients:
            # Emitted at once: it goes by a POST while the WebSocket is probed.
            client.emit("joinRoom", {"room": room})
            for n in range(20):
                client.emit("message", {"room": room, "content": f"own {n}"})
        for client in clients:
            await client.next("upgrade")
        await asyncio.sleep(0.2)  # more traffic on the new transport
        ending.set()
        await flooding
        total = sent + 20 * len(clients)
        for client in clients:
            shown = (await client.event("messageHistory"))[0]
            last = shown[-1]["seq"] if shown else 0
            await client.until(total - last, "message")
            places = [message["seq"] for message in client.all("message")]
            assert places == list(range(last + 1, total + 1))
            me = client.all("message")[-1]["sender"]
            assert me
            client.disconnect()
        own = [m["content"] for m in clients[0].all("message") if m["content"].startswith("own")]
        assert len(own) >= 20


async def test_who_does_not_poll_is_ended(room: str) -> None:
    """What waits for a client that polls no more is bounded: it is ended, the others go on."""
    async with (
        Cluster(env={"OUTBOX_LIMIT": "65536"}) as cluster,
        Peer(cluster.gateway_url(1), "username=ann") as ann,
        httpx.AsyncClient(base_url=cluster.gateway_url(1), timeout=HANGS_AFTER) as http,
    ):
        await ann.request("createRoom", {"name": room})
        await ann.request("joinRoom", {"room": room})
        query = {"EIO": "4", "transport": "polling"}
        opened = (await http.get("/socket.io/", params=query)).text
        query["sid"] = opened.split('"sid":"')[1].split('"')[0]
        for packet in ("40", f'42["joinRoom",{{"room":"{room}"}}]'):
            assert (await http.post("/socket.io/", params=query, content=packet)).text == "ok"
        await eventually(lambda: _joined(ann))
        for n in range(100):
            await ann.request("message", {"room": room, "content": f"{n} {'x' * 3900}"})

        async def ended() -> bool:
            answer = await http.post("/socket.io/", params=query, content='42["getRooms"]')
            return answer.status_code == 400 and answer.json()["code"] == 1

        await eventually(ended)
        assert (await ann.request("message", {"room": room, "content": "on"}))["seq"] == 101


async def _joined(peer: Peer) -> bool:
    return "has joined the room" in str(peer.all("notification"))


class Raw:
    """A Socket.IO client over a WebSocket, by hand, that may stop to read."""

    def __init__(self) -> None:
        self.pid = ""
        self.offset: str | None = None
        self.seqs: list[int] = []
        self.events: list[str] = []

    async def connect(self, url: str) -> str:
        """Connect with what it has; the pid that it is told."""
        address = f"{url.replace('http', 'ws', 1)}/socket.io/?EIO=4&transport=websocket"
        shown = json.dumps({"pid": self.pid, "offset": self.offset}) if self.pid else ""
        self.socket = await connect(address, max_queue=None, max_size=None, compression=None)
        await self.socket.send(f"40{shown}")
        while not (packet := await self._next()).startswith("40"):
            pass
        self.pid = json.loads(packet[2:])["pid"]
        return self.pid

    async def read(self, until: int) -> None:
        """Take what comes, up to a message of this place or the end."""
        with contextlib.suppress(ConnectionClosed):
            while until not in self.seqs:
                packet = await self._next()
                if packet.startswith("42"):
                    event, *args = json.loads(packet[2:])
                    self.events.append(event)
                    if isinstance(args[-1], str):
                        self.offset = args[-1]
                    if event == "message":
                        self.seqs.append(args[0]["seq"])

    async def _next(self) -> str:
        async with asyncio.timeout(HANGS_AFTER):
            packet = await self.socket.recv()
        assert isinstance(packet, str)
        if packet == "2":
            await self.socket.send("3")
        return packet


async def test_who_does_not_read_is_ended_and_recovers(room: str) -> None:
    """A client that reads too late is told `lagged` and ended; it comes back and lacks nothing."""
    async with (
        Cluster(env={"OUTBOX_LIMIT": "65536"}) as cluster,
        Peer(cluster.gateway_url(1), "username=ann") as ann,
    ):
        await ann.request("createRoom", {"name": room})
        await ann.request("joinRoom", {"room": room})
        raw = Raw()
        pid = await raw.connect(cluster.gateway_url(1))
        await raw.socket.send(f'42["joinRoom",{{"room":"{room}"}}]')
        await eventually(lambda: _joined(ann))
        raw.socket.transport.pause_reading()
        for n in range(3000):
            await ann.request("message", {"room": room, "content": f"{n} {'x' * 3900}"})
            if "disconnected" in str(ann.all("notification")[-1]):
                break
        raw.socket.transport.resume_reading()
        await raw.read(until=-1)
        sent = len(ann.all("message", room))
        assert len(raw.seqs) < sent
        assert await raw.connect(cluster.gateway_url(2)) == pid
        await raw.read(until=sent)
        assert raw.seqs == list(range(1, sent + 1))
        await raw.socket.close()
