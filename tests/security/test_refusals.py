"""What a connection is refused counts, of every kind and by every transport, until it is closed."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect

from tests.security.doors import (
    GUARDED,
    PollingDoor,
    SocketIODoor,
    enter,
    new_address,
    pass_for,
    refused,
)
from tests.support.cluster import Cluster
from tests.support.peer import Peer
from tests.support.waiting import HANGS_AFTER

REFUSALS = 40
SETTINGS = {
    **GUARDED,
    "RATE_REFUSALS": f"1/1h:{REFUSALS}",
    "RATE_CONNECTIONS": "1/1h:30",
    "RATE_USER_CONNECTIONS": "1000/1s:1000",
    "RATE_BYTES": "9999999/1s:9999999",
}
"""Nothing comes back within an hour: what is counted does not depend on how fast a test is."""

BRACKETS = ",".join(["[" * 58 + "]" * 58] * 500)


@pytest_asyncio.fixture(scope="module")
async def strict() -> AsyncIterator[Cluster]:
    """A cluster that closes who is refused 40 times."""
    async with Cluster(env=SETTINGS) as cluster:
        yield cluster


@pytest.fixture(params=[SocketIODoor, PollingDoor])
def door(request: pytest.FixtureRequest) -> Callable[..., SocketIODoor]:
    """Socket.IO over either transport."""
    found: Callable[..., SocketIODoor] = request.param
    return found


KINDS = {
    "a foreign namespace": '40/other,{"x":[' + BRACKETS + "]}",
    "an acknowledgement": "431[" + BRACKETS + "]",
    "an unknown event": '42["nonsense"]',
    "bad data": '42999["message",1,2',
}


async def ends(client: SocketIODoor, packet: str, times: int) -> bool:
    """Send a packet so often; whether the session ends of it."""
    for _ in range(times):
        await client.raw(packet)
    return await client.closed() is not None


@pytest.mark.parametrize("kind", KINDS)
async def test_refusals_over_socketio(
    strict: Cluster, door: Callable[..., SocketIODoor], kind: str
) -> None:
    """What is refused after login, or not understood, ends a session when there is much of it."""
    url, token = strict.gateway_url(1), pass_for(kind)
    async with door(url, token=token, headers=new_address()) as calm:
        await calm.raw(KINDS[kind])
        async with door(url, token=token, headers=new_address()) as loud:
            assert await ends(loud, KINDS[kind], REFUSALS + 1)
        assert await calm.request("getRooms") == {}


@pytest.mark.parametrize("kind", ["40/other,", '40{"token":"no"}', '40{"token":{}}', "40"])
async def test_refusals_before_login(strict: Cluster, kind: str) -> None:
    """A CONNECT that is refused counts as well, and each is answered until there are too many."""
    url = strict.gateway_url(1).replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
    answers: list[str] = []
    async with connect(url, additional_headers=new_address()) as loud:
        for _ in range(REFUSALS + 1):
            await loud.send(kind)
        async with asyncio.timeout(HANGS_AFTER):
            answers += [str(answer) async for answer in loud]
    assert [answer[:2] for answer in answers] == ["0{"] + ["44"] * (REFUSALS + 1)


async def test_a_new_login_resets_nothing(strict: Cluster) -> None:
    """To disconnect from the namespace and connect again does not begin the count anew."""
    url = strict.gateway_url(1)
    async with SocketIODoor(url, token=pass_for("ann"), headers=new_address()) as loud:
        for _ in range(REFUSALS // 2):
            await refused(loud, "nonsense")
        await loud.raw("41")
        await loud.raw("40" + json.dumps({"token": pass_for("ann")}))
        assert await ends(loud, '42["nonsense"]', REFUSALS // 2 + 1)


async def test_a_new_login_costs_a_connection(strict: Cluster) -> None:
    """An address cannot log in more often on one connection than it may connect."""
    headers = new_address()
    async with SocketIODoor(strict.gateway_url(1), token=pass_for("ann"), headers=headers) as loud:
        for _ in range(30 + REFUSALS):
            await loud.raw("41")
            await loud.raw("40" + json.dumps({"token": pass_for("ann")}))
        assert await loud.closed() is not None
    async with Peer(strict.gateway_url(1), token=pass_for("bob"), headers=new_address()) as other:
        assert await other.request("getRooms") == {}


@pytest.mark.parametrize("wire", ["json", "msgpack"])
async def test_frames_of_the_wrong_kind(strict: Cluster, wire: str) -> None:
    """Binary frames on a JSON connection, or texts on one of MessagePack, end it with 4429."""
    url = strict.gateway_url(2)
    async with enter("json" if wire == "json" else "msgpack", url, "", pass_for("ann")) as loud:
        for number in range(REFUSALS + 1):
            await loud.raw(b"\x81\xa2id\x07" if wire == "json" else '{"id":7,"x":[')
            if number == 0:
                assert (await loud.next("error"))["id"] == 7
        assert await loud.closed() == 4429
