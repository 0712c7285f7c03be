"""Answers that are larger than what a client may leave unread."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.cluster import Cluster
from tests.support.peer import Peer
from tests.support.protocols import connect

LONG = "\u6f22" * 4000  # 12,000 bytes
COUNT = 20


@pytest_asyncio.fixture(scope="module")
async def small() -> AsyncIterator[Cluster]:
    """A cluster whose clients may leave little unread, with long messages in a room and chats."""
    async with Cluster(env={"OUTBOX_LIMIT": "65536"}) as cluster:
        async with Peer(cluster.gateway_url(1), "username=ann") as ann:
            await ann.request("createRoom", {"name": "long"})
            await ann.request("joinRoom", {"room": "long"})
            await ann.request("userOnline", "ann")
            for n in range(COUNT):
                await ann.request("message", {"room": "long", "content": LONG})
                for other in ("bob", f"friend {n}"):
                    sent = {"senderId": "ann", "receiverId": other, "content": LONG}
                    await ann.request("sendMessage", sent)
        yield cluster


async def test_they_reach_a_client_that_reads(small: Cluster, protocol: str) -> None:
    """The history of a room, of a chat and a list of chats end no connection that reads them."""
    for gateway in (1, 2):
        url = small.gateway_url(gateway)
        async with (
            connect(small, gateway, "ann", protocol) as ann,
            Peer(url, "username=eve") as eve,
        ):
            await eve.request("joinRoom", {"room": "long"})
            # Live messages come between the pages and their replies, too.
            talking = [eve.request("message", {"room": "long", "content": "hi"}) for _ in range(5)]
            _, *_ = await asyncio.gather(ann.request("joinRoom", {"room": "long"}), *talking)
            history = (await ann.next("messageHistory"))["data"]
            assert sum(message["content"] == LONG for message in history) == COUNT
            assert (await ann.request("history", {"room": "long"}))["next"] is None
            await ann.request("userOnline", "ann")
            assert (await ann.request("getChats", "ann"))["next"] is None
            chats = (await ann.next("chatsList"))["data"]
            assert len(chats) == COUNT + 1
            [chat] = [each["id"] for each in chats if "bob" in (each["user1Id"], each["user2Id"])]
            await asyncio.gather(*(ann.request("getMessages", chat) for _ in range(2)))
            messages = (await ann.next("loadMessages"))["data"]
            assert [message["content"] for message in messages] == [LONG] * COUNT
            await ann.request("getRooms")
            assert ann.close_code is None
