"""Several installations on one server: each is alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.support.cluster import Cluster
from tests.support.peer import Peer
from tests.support.stored import eventually, messages
from tests.support.valkey import Valkey
from tests.support.waiting import eventually as waited

DATABASES = [("3", "4"), ("0", "0")]
USERS = (("ann", "bob"), ("cyd", "dan"))


class Side:
    """One of two clusters, with two users who do all that users do.

    Attributes:
        users: their names; the other side has others.
    """

    def __init__(self, cluster: Cluster, users: tuple[str, str], peers: list[Peer]) -> None:
        self.cluster = cluster
        self.users = users
        self.one, self.two = peers
        self.namespace = cluster.namespace

    async def talk(self) -> None:
        """Talk in a room and a chat, come online, type, move cursors, and hear all of that."""
        for peer, name in zip((self.one, self.two), self.users, strict=True):
            await peer.request("joinRoom", {"room": "general"})
            await peer.request("userOnline", name)
        await self.one.emit("typing", {"room": "general"})
        await self.two.next("typing")
        for content in self.said:
            await self.one.request("message", {"room": "general", "content": content})
        sender, receiver = self.users
        data = {"senderId": sender, "receiverId": receiver, "content": f"{sender} asks"}
        sent = await self.one.request("sendMessage", data)
        for peer in (self.one, self.two):  # whose gateways follow the chat from then on
            await peer.next("newMessage")
        await self.two.request("markAsSeen", {"messageId": sent["id"]})
        await self.one.next("messageSeen")
        await self.two.until(20, "message", "general")
        await waited(self.online)

    @property
    def said(self) -> list[str]:
        """What is said in the room."""
        return [f"{self.users[0]} says {n}" for n in range(20)]

    @property
    def received(self) -> str:
        """All that came to the two."""
        return str([*self.one.frames, *self.two.frames])

    async def stored(self) -> None:
        """Wait until SQL has what was said in the room, and nothing else."""
        found = await eventually(
            lambda: messages(self.cluster.database, "general"), lambda found: len(found) >= 20
        )
        assert [content for _, _, content in found] == self.said

    async def online(self) -> bool:
        """Whether just these two have been told to be online."""
        return sorted(self.users) in map(sorted, self.one.all("onlineUsers"))


@pytest.fixture(scope="module", params=DATABASES, ids=["two databases", "one database"])
async def two(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Valkey, list[Side]]]:
    """One server and two clusters on it, each with its ann and its bob."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(Valkey())
        sides = []
        for number, users in zip(request.param, USERS, strict=True):
            url = server.url.removesuffix("/0") + f"/{number}"
            cluster = Cluster(env={"REDIS_URL": url})
            await stack.enter_async_context(cluster)
            peers = [
                await stack.enter_async_context(Peer(cluster.gateway_url(n), f"username={name}"))
                for n, name in enumerate(users, 1)
            ]
            await peers[0].request("createRoom", {"name": "general"})
            sides.append(Side(cluster, users, peers))
        yield server, sides


async def test_neither_hears_sees_or_counts_the_other(two: tuple[Valkey, list[Side]]) -> None:
    """What happens in one of two clusters on one server reaches nobody and nothing of the other."""
    server, sides = two
    for side in sides:
        await side.talk()
    for side, other in zip(sides, reversed(sides), strict=True):
        assert not [name for name in other.users if name in side.received]
        await side.stored()
        page = await side.two.request("history", {"room": "general"})
        assert [item["content"] for item in page["items"]] == side.said
    await assert_apart(server, [side.namespace for side in sides])


async def assert_apart(server: Valkey, namespaces: list[str]) -> None:
    """Every key and every channel belongs to one of the installations, and both have the same."""
    assert len(set(namespaces)) == len(namespaces)

    async def alike() -> list[set[str]]:
        names = await all_names(server)
        for name in names:
            assert any(name.startswith(f"{each}:{{") for each in namespaces), name
        # What each has is the same but for names that were given to single processes and messages,
        # and for what is still to be stored.
        kinds = [
            {name.partition("}:")[2].split(":")[0] for name in names if name.startswith(f"{each}:")}
            for each in namespaces
        ]
        return kinds if kinds[0] == kinds[1] else []

    kinds = await waited(alike)
    assert {"partition", "stream", "room", "log", "channel", "everyone", "control"} <= kinds[0]


async def all_names(server: Valkey) -> set[str]:
    """The names of all keys in all databases, and of all channels that somebody follows."""
    found = {name.decode() for name in await server.admin.pubsub_shardchannels()}
    assert await server.admin.pubsub_channels() == []
    for number in range(16):
        broker: Any = Redis(port=server.port, db=number)
        try:
            found |= {name.decode() for name in await broker.keys("*")}
        finally:
            await broker.aclose()
    return found


async def test_one_ends_and_the_other_stays_whole(two: tuple[Valkey, list[Side]]) -> None:
    """While one of two clusters is stopped, the other goes on, and counts only its own."""
    _, (one, other) = two
    await asyncio.gather(one.cluster.stop(), one.one.closed(), one.two.closed())
    await other.one.request("joinRoom", {"room": "general"})
    await other.two.request("joinRoom", {"room": "general"})
    await other.one.request("message", {"room": "general", "content": "still here"})
    while (await other.two.next("message"))["data"]["content"] != "still here":
        pass
