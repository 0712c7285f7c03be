"""Rooms with a password do not show that they are there, neither by words nor by work."""

from collections.abc import Sequence
from itertools import count

import psutil
import pytest

from tests.security.doors import make, refused
from tests.support.cluster import Cluster
from tests.support.peer import Peer

ROUNDS = 6
TRIES = 8
"""Guesses of each kind in a round. One hash takes as much as the work for many events."""

_numbers = count(1)


async def work(cluster: Cluster, peer: Peer, rooms: Sequence[str]) -> list[float]:
    """Guess at the password of each room, in turn: the processor time of the gateway for each."""
    process = psutil.Process(cluster.pid("gateway-1"))
    spent = [0.0] * len(rooms)
    for _ in range(ROUNDS):
        for number, room in enumerate(rooms):
            before = sum(process.cpu_times()[:2])
            for _ in range(TRIES):
                knock = {"room": room, "password": "wrong"}
                assert await refused(peer, "joinRoom", knock) == "forbidden"
            spent[number] += sum(process.cpu_times()[:2]) - before
    return spent


@pytest.mark.parametrize("why", ["none", "banned"])
async def test_a_hash_for_a_room_that_is_not_there(cluster: Cluster, why: str) -> None:
    """Refusing a room that does not exist, or that bans one, hashes as for a wrong password."""
    room, hidden = (f"{kind} {next(_numbers)}" for kind in ("known", "hidden"))
    url = cluster.gateway_url(1)
    async with Peer(url, "username=its-owner") as owner, Peer(url, "username=eve") as eve:
        await make(owner, room, "key")
        if why == "banned":
            await make(owner, hidden, "key")
            await owner.request("ban", {"room": hidden, "user": "eve"})
        # The first one makes the hash that all others are compared with.
        assert await refused(eve, "joinRoom", {"room": hidden, "password": "wrong"}) == "forbidden"
        wrong, absent = await work(cluster, eve, (room, hidden))
    assert absent > wrong / 2, (wrong, absent)
