"""Guests share the budget of their address, whatever their names and wherever they connect."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.security.doors import DOORS, GUARDED, Door, enter, pass_for
from tests.security.guests import is_rated
from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal

SETTINGS = {
    **GUARDED,
    "GUESTS": "on",
    "RATE_USER_CONNECTIONS": "1/1h:16",
    "RATE_MESSAGES": "1/1h:12",
    "RATE_TYPING": "1/1h:4",
    "RATE_HISTORY": "1/1h:12",
    "RATE_GUESSES": "1/1h:3",
}
"""Nothing comes back within an hour: what is granted does not depend on how fast a test is."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def welcoming() -> AsyncIterator[Cluster]:
    """Two gateways that limit rates and let guests in."""
    async with Cluster(env=SETTINGS) as running:
        yield running


def come(cluster: Cluster, gateway: int, address: str, user: str = "", door: Door = "json") -> Peer:
    """A guest of an address, or a user with a token there."""
    shown = pass_for(user) if user else ""
    return enter(door, cluster.gateway_url(gateway), "", shown, address)


async def is_taken(peer: Peer, event: str, data: object = None) -> bool:
    """Whether a request is carried out; else it is refused by a rate, which says for how long."""
    try:
        await peer.request(event, data)
    except Refusal as refusal:
        return not is_rated(refusal)
    return True


async def test_messages(welcoming: Cluster, room: str, address: str) -> None:
    """New guests on both gateways may say no more than one user; who else is there may speak."""
    said, taken = {"room": room, "content": "hi"}, 0
    async with come(welcoming, 1, address, "ann") as ann, come(welcoming, 2, "10.9.9.9") as far:
        await ann.request("createRoom", {"name": room})
        for peer in (ann, far):
            await peer.request("joinRoom", {"room": room})
        for gateway in (1, 2) * 4:
            async with come(welcoming, gateway, address) as guest:
                await guest.request("joinRoom", {"room": room})
                taken += sum([await is_taken(guest, "message", said) for _ in range(3)])
        assert 6 <= taken <= 12
        assert await is_taken(ann, "message", said)
        assert await is_taken(far, "message", said)


async def test_every_protocol(welcoming: Cluster, address: str) -> None:
    """Guests over JSON, MessagePack, Socket.IO and its polling count together."""
    taken = 0
    for gateway in (1, 2):
        for door in DOORS:
            async with come(welcoming, gateway, address, door=door) as guest:
                taken += sum([await is_taken(guest, "getRooms") for _ in range(3)])
    assert 6 <= taken <= 12


async def test_a_network_of_ipv6(welcoming: Cluster) -> None:
    """A /64 is one address: a guest of another address in it has what the first one left."""
    taken = 0
    for number in range(8):
        async with come(welcoming, 1 + number % 2, f"2001:db8:1:2::{number}") as guest:
            taken += sum([await is_taken(guest, "getRooms") for _ in range(3)])
    assert 6 <= taken <= 12
    async with come(welcoming, 1, "2001:db8:1:3::1") as guest:
        assert await is_taken(guest, "getRooms")


async def test_typing(welcoming: Cluster, room: str, address: str) -> None:
    """Typing of new guests is dropped once their address has used up its rate."""
    async with come(welcoming, 1, address, "ann") as ann:
        await ann.request("createRoom", {"name": room})
        await ann.request("joinRoom", {"room": room})
        for gateway in (1, 2) * 4:
            async with come(welcoming, gateway, address) as guest:
                await guest.request("joinRoom", {"room": room})
                for _ in range(3):
                    assert await guest.request("typing", {"room": room}) == {}
        await ann.request("message", {"room": room, "content": "last"})
        await ann.next("message", room=room)
        assert 1 <= len({text for text in ann.all("typing", room) if text}) <= 4


async def test_guesses(welcoming: Cluster, room: str, address: str) -> None:
    """A new guest has no fresh guesses of a password; a user of the address has their own."""
    async with come(welcoming, 1, address, "ann") as ann, come(welcoming, 2, address, "bob") as bob:
        await ann.request("createRoom", {"name": room, "password": "right"})
        codes = []
        for gateway in (1, 2) * 3:
            async with come(welcoming, gateway, address) as guest:
                with pytest.raises(Refusal) as refusal:
                    await guest.request("joinRoom", {"room": room, "password": "wrong"})
                codes.append(refusal.value.code)
        assert codes == ["forbidden"] * 3 + ["rate_limited"] * 3
        joined = await bob.request("joinRoom", {"room": room, "password": "right"})
        assert joined["room"] == room


async def test_connections(welcoming: Cluster, address: str) -> None:
    """An address whose guests came too often gets no more of them; its users come in."""
    taken = 0
    for gateway in (1, 2) * 12:
        async with come(welcoming, gateway, address) as guest:
            if await is_taken(guest, "leaveRoom", {"room": "nowhere"}):
                taken += 1
            else:
                assert await guest.closed() == 4429
    assert 8 <= taken <= 16
    with pytest.raises(Refusal) as refusal:
        async with come(welcoming, 1, address, door="socket.io"):
            pass
    assert refusal.value.code == "rate_limited"
    assert refusal.value.retry_after
    async with come(welcoming, 2, address, "ann") as ann:
        assert await is_taken(ann, "leaveRoom", {"room": "nowhere"})
