"""Whom an address is counted as: nobody gets another budget by what they say of themselves."""

from collections.abc import AsyncIterator
from itertools import count

import httpx
import pytest
import pytest_asyncio

from tests.security.doors import GUARDED, make, new_address, pass_for, refused
from tests.support.cluster import Cluster
from tests.support.peer import Peer

MOST = 8
SETTINGS = {
    **GUARDED,
    "RATE_REST": f"1/1h:{MOST}",
    "RATE_ADDRESS_GUESSES": f"1/1h:{MOST}",
    "RATE_GUESSES": "1/1h:100",
}
"""Nothing comes back within an hour: what is counted does not depend on how fast a test is."""

_numbers = count(1)


@pytest_asyncio.fixture(scope="module")
async def counting() -> AsyncIterator[Cluster]:
    """A cluster that trusts no proxy but its own load balancer."""
    async with Cluster(gateways=1, env=SETTINGS) as cluster:
        yield cluster


async def statuses(url: str, addresses: list[str]) -> list[int]:
    """Ask for a chat once for each address that a client says it has."""
    shown = {"Authorization": f"Bearer {pass_for('ann')}"}
    async with httpx.AsyncClient(base_url=url, headers=shown) as http:
        answers = [
            await http.get("/chats/1", headers={"X-Forwarded-For": address})
            for address in addresses
        ]
    return [answer.status_code for answer in answers]


async def test_what_a_client_says_of_itself(counting: Cluster) -> None:
    """The load balancer drops `X-Forwarded-For` of a client, so another one is no other address."""
    forged = [f"192.0.2.{number}" for number in range(MOST + 2)]
    assert await statuses(counting.url, forged) == [404] * MOST + [429] * 2


async def test_a_network_of_ipv6_asks(counting: Cluster) -> None:
    """All addresses of an IPv6 /64 have one budget, and those of the next one have their own."""
    url = counting.gateway_url(1)
    own = [f"2001:db8:7:1::{number:x}" for number in range(MOST + 2)]
    assert await statuses(url, own) == [404] * MOST + [429] * 2
    assert await statuses(url, ["2001:db8:7:2::1"]) == [404]


@pytest.mark.parametrize("network", ["192.0.2.200", "2001:db8:8:1::{}"])
async def test_an_address_that_guesses(counting: Cluster, network: str) -> None:
    """However many users an address has, it has so many guesses at a password and no more."""
    url, room = counting.gateway_url(1), f"guessed {next(_numbers)}"
    async with Peer(url, token=pass_for("owner"), headers=new_address()) as owner:
        await make(owner, room, "key")

    async def guess(user: int, headers: dict[str, str]) -> str:
        async with Peer(url, token=pass_for(f"guesser {user}"), headers=headers) as peer:
            return await refused(peer, "joinRoom", {"room": room, "password": "wrong"})

    here = [{"X-Forwarded-For": network.format(f"{number:x}")} for number in range(MOST + 2)]
    ends = [await guess(number, headers) for number, headers in enumerate(here)]
    assert ends == ["forbidden"] * MOST + ["rate_limited"] * 2
    assert await guess(0, new_address()) == "forbidden"
