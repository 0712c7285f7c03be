"""A room's ban of a guest holds for the guest's address for a while."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from tests.security.doors import GUARDED, Door, make
from tests.security.guests import another, come
from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.waiting import eventually

SETTINGS = {**GUARDED, "GUESTS": "on", "RATE_LIMITS": "off"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def welcoming() -> AsyncIterator[Cluster]:
    """Two gateways that let guests in, and remember bans of them for longer than a test takes."""
    async with Cluster(env=SETTINGS) as running:
        yield running


async def name_of(guest: Peer) -> str:
    """The name that a guest was given."""
    return str((await guest.next("welcome"))["data"]["user"])


async def refusal_of(peer: Peer, event: str, data: object) -> Refusal:
    """The error with which a request is refused."""
    with pytest.raises(Refusal) as refusal:
        await peer.request(event, data)
    return refusal.value


async def ban_a_guest(
    stack: AsyncExitStack, cluster: Cluster, room: str, address: str, password: str = ""
) -> tuple[Peer, str]:
    """Let a guest of the second gateway join a room and be banned; the owner and that name."""
    owner = await come(stack, cluster.gateway_url(1), "10.1.1.1", user="ann")
    await make(owner, room, password)
    guest = await come(stack, cluster.gateway_url(2), address)
    await guest.request("joinRoom", {"room": room, "password": password})
    name = await name_of(guest)
    await owner.request("ban", {"room": room, "user": name})
    await guest.next("banned", room=room)
    return owner, name


@pytest.mark.parametrize("gateway", [1, 2])
async def test_another_guest_is_banned_as_well(
    welcoming: Cluster, stack: AsyncExitStack, room: str, address: str, door: Door, gateway: int
) -> None:
    """A guest does not come back as another one, by any door; users and other guests come in."""
    await ban_a_guest(stack, welcoming, room, address)
    url = welcoming.gateway_url(gateway)
    again = await come(stack, url, address, door)
    refusal = await refusal_of(again, "joinRoom", {"room": room})
    assert (refusal.code, refusal.reason) == ("forbidden", "banned")
    resumed = await again.request("resume", {"rooms": {room: 0}})
    assert resumed["rooms"][room] == {"recovered": False, "head": 0, "reason": "banned"}
    assert (
        await refusal_of(again, "message", {"room": room, "content": "hi"})
    ).code == "not_joined"
    for other in (
        await come(stack, url, address, door, "bob"),
        await come(stack, url, another(), door),
    ):
        await other.request("joinRoom", {"room": room})
    elsewhere = f"{room} elsewhere"
    await again.request("createRoom", {"name": elsewhere})
    assert (await again.request("joinRoom", {"room": elsewhere}))["room"] == elsewhere


async def test_a_protected_room(
    welcoming: Cluster, stack: AsyncExitStack, room: str, address: str, door: Door
) -> None:
    """With the right password a banned address gets the answer of a wrong one."""
    await ban_a_guest(stack, welcoming, room, address, "right")
    again = await come(stack, welcoming.gateway_url(1), address, door)
    answers = []
    for name, password in ((room, "right"), (room, "wrong"), ("no such room", "right")):
        refusal = await refusal_of(again, "joinRoom", {"room": name, "password": password})
        answers.append((refusal.code, refusal.reason, str(refusal)))
    assert answers == answers[:1] * 3
    assert answers[0][:2] == ("forbidden", None)
    resumed = await again.request("resume", {"rooms": {room: 0}})
    assert resumed["rooms"][room] == {"recovered": False, "head": 0}


async def test_who_is_inside_stays(
    welcoming: Cluster, stack: AsyncExitStack, room: str, address: str
) -> None:
    """A guest of the same address who is in the room stays there, and cannot enter it anew."""
    url = welcoming.gateway_url(1)
    async with AsyncExitStack() as first:
        owner = await come(stack, url, "10.1.1.1", user="ann")
        await make(owner, room)
        neighbour = await come(stack, url, address)
        await neighbour.request("joinRoom", {"room": room})
        guest = await come(first, url, address)
        await guest.request("joinRoom", {"room": room})
        await owner.request("ban", {"room": room, "user": await name_of(guest)})
        await guest.next("banned", room=room)
    await neighbour.request("message", {"room": room, "content": "I am still here"})
    await neighbour.request("joinRoom", {"room": room})
    await neighbour.request("leaveRoom", {"room": room})
    refusal = await refusal_of(neighbour, "joinRoom", {"room": room})
    assert refusal.reason == "banned"


async def test_who_has_left(
    welcoming: Cluster, stack: AsyncExitStack, room: str, address: str, door: Door
) -> None:
    """A guest who left before the ban does not come back either, wherever the ban is made."""
    owner = await come(stack, welcoming.gateway_url(1), "10.1.1.1", user="ann")
    await make(owner, room)
    async with AsyncExitStack() as visit:
        name = await name_of(await come(visit, welcoming.gateway_url(2), address, door))
    await owner.request("ban", {"room": room, "user": name})
    for gateway in (1, 2):
        again = await come(stack, welcoming.gateway_url(gateway), address)
        assert (await refusal_of(again, "joinRoom", {"room": room})).reason == "banned"


async def test_unban(welcoming: Cluster, stack: AsyncExitStack, room: str, address: str) -> None:
    """The address is free again once the bans of all of its guests have been lifted."""
    first, second = (welcoming.gateway_url(number) for number in (1, 2))
    owner = await come(stack, first, "10.1.1.1", user="ann")
    await make(owner, room)
    names = [await name_of(await come(stack, url, address)) for url in (first, second)]
    for name in names:
        await owner.request("ban", {"room": room, "user": name})
    again = await come(stack, second, address)
    for name in names:
        assert (await refusal_of(again, "joinRoom", {"room": room})).reason == "banned"
        await owner.request("unban", {"room": room, "user": name})
    await again.request("joinRoom", {"room": room})


async def test_a_kick(welcoming: Cluster, stack: AsyncExitStack, room: str, address: str) -> None:
    """A kicked guest may join again under a new name, as a kicked user may."""
    owner = await come(stack, welcoming.gateway_url(1), "10.1.1.1", user="ann")
    await make(owner, room)
    guest = await come(stack, welcoming.gateway_url(2), address)
    await guest.request("joinRoom", {"room": room})
    await owner.request("kick", {"room": room, "user": await name_of(guest)})
    await guest.next("kicked", room=room)
    again = await come(stack, welcoming.gateway_url(2), address)
    await again.request("joinRoom", {"room": room})


async def test_it_ends_and_survives_a_gateway(
    stack: AsyncExitStack, room: str, address: str
) -> None:
    """A ban made after the guest's gateway was killed holds, until its time is over."""
    env = {**SETTINGS, "GUEST_BAN_SECONDS": "10"}
    cluster = await stack.enter_async_context(Cluster(env=env))
    url = cluster.gateway_url(1)
    owner = await come(stack, url, "10.1.1.1", user="ann")
    await make(owner, room)
    guest = await come(stack, cluster.gateway_url(2), address)
    name = await name_of(guest)
    cluster.kill("gateway-2")
    await guest.closed()
    await owner.request("ban", {"room": room, "user": name})
    again = await come(stack, url, address)
    assert (await refusal_of(again, "joinRoom", {"room": room})).reason == "banned"

    async def joins() -> bool:
        try:
            await again.request("joinRoom", {"room": room})
        except Refusal as refusal:
            if refusal.reason == "banned":
                return False
            raise
        return True

    await eventually(joins)
    # The name stays banned, as the list says.
    listed = await owner.request("getStandings", {"room": room, "standing": "banned"})
    assert listed["users"] == [name]
