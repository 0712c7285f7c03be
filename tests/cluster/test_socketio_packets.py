"""Socket.IO packets in and out of place, on a real gateway: what they close, and what not."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.support.cluster import Cluster
from tests.support.tokens import JWT
from tests.support.waiting import HANGS_AFTER

CONNECT = "40"


@asynccontextmanager
async def session(url: str) -> AsyncIterator[ClientConnection]:
    """An Engine.IO session over a WebSocket that is not connected to a namespace yet."""
    address = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
    async with connect(address, open_timeout=HANGS_AFTER) as socket:
        assert str(await socket.recv()).startswith("0{")
        yield socket


async def said(socket: ClientConnection, beginning: str) -> str:
    """Wait for a packet that begins so; pings and whatever else comes before are passed over."""
    async with asyncio.timeout(HANGS_AFTER):
        while not (packet := str(await socket.recv())).startswith(beginning):
            pass
    return packet


async def is_closed(socket: ClientConnection) -> bool:
    """Wait until the server closes the connection."""
    async with asyncio.timeout(HANGS_AFTER):
        async for _ in socket:
            pass  # what it still says
    return socket.close_code is not None


@pytest.mark.parametrize(
    "packet", ['42["getRooms",{}]', "41", '43[1,"x"]', '42/admin,["getRooms"]', "44{}", "4x"]
)
async def test_before_the_connect(cluster: Cluster, packet: str) -> None:
    """A session that begins with anything but a CONNECT is closed."""
    async with session(cluster.gateway_url(1)) as socket:
        await socket.send(packet)
        assert await is_closed(socket)


@pytest.mark.parametrize("packet", [CONNECT, '42/admin,["getRooms"]', "41/admin,"])
async def test_out_of_place(cluster: Cluster, packet: str) -> None:
    """A second CONNECT, or a packet for a namespace that is not there, closes the connection."""
    async with session(cluster.gateway_url(1)) as socket:
        await socket.send(CONNECT)
        await said(socket, "40{")
        await socket.send(packet)
        assert await is_closed(socket)


async def test_another_namespace(cluster: Cluster) -> None:
    """A namespace that is not there is refused with a message, and the main one is still open."""
    async with session(cluster.gateway_url(1)) as socket:
        await socket.send("40/admin,")
        assert json.loads((await said(socket, "44/admin,"))[9:]) == {"message": "Invalid namespace"}
        await socket.send(CONNECT)
        assert "sid" in json.loads((await said(socket, "40{"))[2:])


async def test_leaving_and_coming_again(cluster: Cluster) -> None:
    """A client that leaves the namespace keeps its connection, and may connect again, anew."""
    async with session(cluster.gateway_url(1)) as socket:
        sids = []
        for _ in range(2):
            await socket.send(CONNECT)
            sids.append(json.loads((await said(socket, "40{"))[2:])["sid"])
            await socket.send('421["getRooms",{}]')
            await said(socket, "431[")
            await socket.send("41")
        assert sids[0] != sids[1]


async def test_acknowledgements_that_nobody_awaits(cluster: Cluster) -> None:
    """An acknowledgement of nothing is passed over."""
    async with session(cluster.gateway_url(1)) as socket:
        await socket.send(CONNECT)
        await said(socket, "40{")
        await socket.send("437[1]")
        await socket.send('421["getRooms",{}]')
        assert await said(socket, "431[") == "431[{}]"


async def test_what_came_before_is_answered(cluster: Cluster) -> None:
    """What was in order before a malformed packet is still answered."""
    async with session(cluster.gateway_url(1)) as socket:
        await socket.send(CONNECT)
        await said(socket, "40{")
        await socket.send('421["setUsername","ann"]')
        await socket.send("42[")
        assert await said(socket, "431[") == "431[{}]"
        assert await is_closed(socket)


@pytest.mark.parametrize("packets", [(), ("40/admin,",), (CONNECT,)])
async def test_who_connects_to_nothing(packets: tuple[str, ...]) -> None:
    """Where clients have to prove who they are, a session that does not connect in time ends."""
    async with Cluster(env=JWT, gateways=1) as running:
        async with session(running.gateway_url(1)) as socket:
            for packet in packets:
                await socket.send(packet)
            assert await is_closed(socket)
