"""A share, not a queue: whoever asks for much waits for their own, and others are served next."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest_asyncio

from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal

SETTINGS = {
    "RATE_LIMITS": "on",
    "RATE_GUESSES": "1/1s:1000",
    "RATE_ADDRESS_GUESSES": "1/1s:1000",
    "RATE_ROOM_GUESSES": "4/1s:8",
    "RATE_USER_CONNECTIONS": "100/1s:500",
    "RATE_JOINS": "1000/1s:4000",
    "RATE_REFUSALS": "1000/1s:10000",
}
"""Only a room's guesses are few, fewer than a busy machine hashes in the same time: the tests are
about who waits behind whom."""

PACE = 0.1
"""Seconds until an attacker who was refused asks again: it is the order that is tried."""


@pytest_asyncio.fixture(scope="module")
async def limited() -> AsyncIterator[Cluster]:
    """A gateway whose rooms take few guesses."""
    async with Cluster(gateways=1, env=SETTINGS) as cluster:
        yield cluster


def coming_from(number: int) -> dict[str, str]:
    """A network of its own, as a proxy that a gateway trusts would say it."""
    return {"X-Forwarded-For": f"2001:db8:0:{number:x}::{number:x}"}


async def ending(peer: Peer, event: str, **data: str) -> str:
    """Ask for something: `done`, or the code of the refusal."""
    try:
        await peer.request(event, data)
    except Refusal as refusal:
        return refusal.code
    return "done"


async def joined(peer: Peer, room: str, **knock: str) -> str:
    """Try to join a room: `done`, or the code of the refusal."""
    return await ending(peer, "joinRoom", room=room, **knock)


class Attackers:
    """Connections that ask for the same thing again and again.

    Attributes:
        ends: how each request ended, in order.
    """

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._news = asyncio.Event()
        self.ends: list[str] = []

    async def guess(self, url: str, user: str, network: int, room: str) -> None:
        """Let one more guess the password of a room."""
        data = {"room": room, "password": "wrong"}
        await self.ask(url, user, network, "joinRoom", data)

    async def ask(
        self, url: str, user: str, network: int, event: str, data: dict[str, str]
    ) -> None:
        """Let one more ask for something."""
        entering = Peer(url, f"username={user}", headers=coming_from(network))
        peer = await self._stack.enter_async_context(entering)
        task = asyncio.create_task(self._go_on(peer, event, data))
        self._stack.callback(task.cancel)

    async def until(self, how: str, count: int) -> None:
        """Wait until so many requests have ended in this way."""
        while self.ends.count(how) < count:
            self._news.clear()
            await self._news.wait()

    async def _go_on(self, peer: Peer, event: str, data: dict[str, str]) -> None:
        while True:
            self.ends.append(how := await ending(peer, event, **data))
            self._news.set()
            if how in {"overloaded", "rate_limited"}:
                await asyncio.sleep(PACE)


async def hash_without_end(stack: AsyncExitStack, url: str, user: str, room: str) -> Attackers:
    """Let a user with 26 connections have passwords hashed, more than it may have waiting."""
    hog, data = Attackers(stack), {"name": room, "password": "key"}
    for _ in range(26):
        await hog.ask(url, user, 1, "createRoom", data)
    await hog.until("room_exists", 10)  # which is found out behind the hashing
    await hog.until("overloaded", 4)  # a user has only so many waiting
    return hog


async def test_a_password_is_checked_next(limited: Cluster, room: str) -> None:
    """Behind a user with 26 connections that hash without end, a password is checked next."""
    url = limited.gateway_url(1)
    async with AsyncExitStack() as stack:
        ann = await stack.enter_async_context(Peer(url, "username=ann"))
        await ann.request("createRoom", {"name": room, "password": "key"})
        hog = await hash_without_end(stack, url, "hog", room)
        for _ in range(5):
            before = hog.ends.count("room_exists")
            assert await joined(ann, room, password="key") == "done"
            assert hog.ends.count("room_exists") - before <= 8
            await ann.request("leaveRoom", room)


async def test_a_room_under_attack_lets_newcomers_in(limited: Cluster, room: str) -> None:
    """Wrong guesses from eight networks make a newcomer wait for one of each, and a grant not."""
    url, networks = limited.gateway_url(1), 8
    async with AsyncExitStack() as stack:
        ann = await stack.enter_async_context(Peer(url, "username=ann", headers=coming_from(20)))
        await ann.request("createRoom", {"name": room, "password": "key"})
        reply = await ann.request("joinRoom", {"room": room, "password": "key"})
        await ann.request("leaveRoom", room)
        attackers = Attackers(stack)
        for number in range(networks * 2):
            await attackers.guess(url, f"eve-{number}", 1 + number % networks, room)
        await attackers.until("forbidden", 20)
        # One of each network waits; another one of the same network is refused meanwhile.
        await attackers.until("rate_limited", 1)
        newcomer = await stack.enter_async_context(
            Peer(url, "username=new", headers=coming_from(30))
        )
        before = attackers.ends.count("forbidden")
        coming = asyncio.create_task(joined(newcomer, room, password="key"))
        assert await joined(ann, room, grant=reply["grant"]) == "done"
        assert await coming == "done"
        # One of each network was before it, and one may have been at the hashing already.
        assert attackers.ends.count("forbidden") - before <= 2 * networks + 4
        # A room that does not exist is no different.
        for number in range(networks):
            await attackers.guess(url, f"ida-{number}", 50 + number, "no such room")
        stranger = await stack.enter_async_context(
            Peer(url, "username=stranger", headers=coming_from(60))
        )
        knocks = [joined(stranger, name, password="wrong") for name in ("no such room", room)]
        assert [await knock for knock in knocks] == ["forbidden", "forbidden"]
