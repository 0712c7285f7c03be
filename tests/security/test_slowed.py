"""Who sends too much is read more slowly: others are served, nothing is lost, the order stays."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest
import pytest_asyncio

from tests.security.doors import Door, PollingDoor, enter, make, new_address
from tests.security.raw import CONTINUATION, PING, TEXT, framed
from tests.support.cluster import Cluster
from tests.support.metrics import scrape
from tests.support.peer import Peer
from tests.support.waiting import eventually

FRAMES = 200
"""Above the burst, so that reading waits for 5 s."""

SETTINGS = {
    "RATE_LIMITS": "on",
    "RATE_PACKETS": "20/1s:100",
    "RATE_BYTES": "20000/1s:100000",
    # Only packets and bytes slow anybody here, and nobody is closed.
    **dict.fromkeys(
        ("RATE_MESSAGES", "RATE_REQUESTS", "RATE_JOINS", "RATE_HISTORY", "RATE_REFUSALS"),
        "100000/1s:100000",
    ),
    # Who is not read for longer than this must not count as silent.
    "PING_SECONDS": "2",
}


@pytest_asyncio.fixture(scope="module")
async def slowing() -> AsyncIterator[Cluster]:
    """A cluster that takes few packets and bytes of a connection."""
    async with Cluster(env=SETTINGS) as cluster:
        yield cluster


async def slowed(cluster: Cluster) -> float:
    """How often the first gateway has let a connection wait."""
    return (await scrape(cluster.admin_port + 1))["parley_slowed_total"]


async def waits(cluster: Cluster, before: float) -> None:
    """Wait until a connection has had to wait."""

    async def happened() -> bool:
        return await slowed(cluster) > before

    await eventually(happened)


async def served(cluster: Cluster, times: int = 5) -> None:
    """Let somebody from elsewhere ask for something a few times."""
    async with Peer(cluster.gateway_url(1), headers=new_address()) as other:
        for _ in range(times):
            await other.request("getRooms")


def text(request: int) -> bytes:
    """A frame that asks for something."""
    return json.dumps({"event": "getRooms", "id": request}).encode()


FLOODS = {
    "pings": framed(PING, b"?") * FRAMES + framed(TEXT, text(1)),
    "empty fragments": framed(TEXT, fin=False)
    + framed(CONTINUATION, fin=False) * FRAMES
    + framed(CONTINUATION, text(1)),
    "frames of one byte": framed(TEXT, b"x") * FRAMES + framed(TEXT, text(1)),
    "long frames": framed(TEXT, b'{"event":"getRooms","data":{"x":"%b"}}' % (b"x" * 10_000)) * 30
    + framed(TEXT, text(1)),
}


@pytest.mark.parametrize("kind", FLOODS)
async def test_floods_are_slowed(slowing: Cluster, kind: str) -> None:
    """Whatever comes in a flood is read slowly, and as it was sent; others are served meanwhile."""
    before = await slowed(slowing)
    async with Peer(slowing.gateway_url(1), headers=new_address()) as loud:
        loud.socket.transport.write(FLOODS[kind])
        await waits(slowing, before)
        await served(slowing)
        assert not [frame for frame in loud.frames if frame.get("id") == 1]
        assert (await loud.next("reply", within=60))["id"] == 1
        assert len(loud.all("error")) == (FRAMES if kind == "frames of one byte" else 0)
        assert await loud.request("getRooms") == {}


@pytest.mark.parametrize("door", ["json", "msgpack", "socket.io"])
async def test_messages_at_once_all_arrive_in_order(slowing: Cluster, door: Door) -> None:
    """Messages that a client sends at once, over its budget, are all accepted in their order."""
    room = f"all at once by {door}"
    async with Peer(slowing.gateway_url(2), "username=ear", headers=new_address()) as listener:
        await make(listener, room)
        async with enter(door, slowing.gateway_url(1), "username=loud") as loud:
            await loud.request("joinRoom", {"room": room})
            for number in range(FRAMES):
                await loud.emit("message", {"room": room, "content": f"{number}"})
            await served(slowing)
            assert len(listener.all("message", room)) < FRAMES
            arrived = await listener.until(FRAMES, "message", room, within=60)
            assert [message["content"] for message in arrived] == [*map(str, range(FRAMES))]


async def test_a_post_is_slowed(slowing: Cluster) -> None:
    """Packets of polling are paid for by their session, and answered in their order, if later."""
    async with PollingDoor(slowing.gateway_url(1), headers=new_address()) as loud:
        before = await slowed(slowing)
        body = "\x1e".join(f'42{number}["getRooms"]' for number in range(FRAMES))
        async with httpx.AsyncClient(timeout=60) as http:
            posted = asyncio.create_task(http.post(loud.session, content=body))
            await waits(slowing, before)
            await served(slowing)
            assert not posted.done()
            assert (await posted).text == "ok"
        replies = [(await loud.next("reply"))["id"] for _ in range(FRAMES)]
        assert replies == [*range(FRAMES)]


async def test_a_second_poll_of_a_slowed_session_is_refused(slowing: Cluster) -> None:
    """While a session owes, one GET of it waits; a second ends it, and both are answered."""
    url, before = slowing.gateway_url(1), await slowed(slowing)
    async with httpx.AsyncClient(timeout=60, headers=new_address()) as http:
        session = f"{url}/socket.io/?EIO=4&transport=polling"
        opened = await http.get(session)
        session += f"&sid={json.loads(opened.text[1:])['sid']}"
        assert (await http.post(session, content="40")).text == "ok"
        assert (await http.get(session)).text.startswith("40")
        body = "\x1e".join(f'42{number}["getRooms"]' for number in range(FRAMES))
        posted = asyncio.create_task(http.post(session, content=body))
        await waits(slowing, before)
        polls = [asyncio.create_task(http.get(session)) for _ in range(2)]
        refused, paying = await asyncio.wait(polls, return_when=asyncio.FIRST_COMPLETED)
        assert [each.result().status_code for each in refused] == [400]
        assert not posted.done()
        assert [(await each).json()["message"] for each in paying] == ["Session ID unknown"]
        await posted


async def test_connections_of_an_address_share(slowing: Cluster) -> None:
    """Connections of one address are slowed together before each has used up its own budget."""
    before, headers = await slowed(slowing), new_address()
    loud = [Peer(slowing.gateway_url(1), headers=headers) for _ in range(20)]
    async with AsyncExitStack() as stack:
        async with asyncio.TaskGroup() as group:
            for peer in loud:
                group.create_task(stack.enter_async_context(peer))
        for peer in loud:
            peer.socket.transport.write(framed(PING) * 90)
        await waits(slowing, before)
        await served(slowing)
        for peer in loud:
            assert await peer.request("getRooms") == {}
