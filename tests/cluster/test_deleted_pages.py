"""What every list shows where most messages were deleted one by one, on both gateways."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import httpx
import pytest

from tests.support.cluster import Cluster
from tests.support.peer import Peer
from tests.support.protocols import connect

KEPT = [f"kept {n}" for n in range(20)]
_numbers = count(1)


@asynccontextmanager
async def a_room(cluster: Cluster, protocol: str, room: str) -> AsyncIterator[Peer]:
    """Ann on gateway 1 in a room with 20 messages, and 100 more that she deleted one by one."""
    async with connect(cluster, 1, "ann", protocol) as ann:
        await ann.request("createRoom", {"name": room})
        await ann.request("joinRoom", {"room": room})
        for content in KEPT:
            await ann.request("message", {"room": room, "content": content})
        await send_and_delete(ann, "message", {"room": room})
        yield ann


async def send_and_delete(peer: Peer, event: str, where: dict[str, Any]) -> None:
    """Send 100 messages, then delete them one by one."""
    sends = [peer.request(event, {**where, "content": "deleted"}) for _ in range(100)]
    sent = await asyncio.gather(*sends)
    deletions = [peer.request("deleteMessage", {"messageId": each["id"]}) for each in sent]
    await asyncio.gather(*deletions)


def contents(items: list[Any]) -> list[str]:
    return [item["content"] for item in items if not item.get("deleted")]


@pytest.mark.parametrize("gateway", [1, 2])
async def test_a_newcomer_gets_what_is_left(
    cluster: Cluster, protocol: str, room: str, gateway: int
) -> None:
    """`messageHistory` has the 20 messages below 100 deleted ones, and says that this is all."""
    async with (
        a_room(cluster, protocol, room),
        connect(cluster, gateway, "bob", protocol) as bob,
    ):
        joined = await bob.request("joinRoom", {"room": room})
        assert contents((await bob.next("messageHistory"))["data"]) == KEPT
        assert (joined["next"], joined["head"]) == (None, 220)
        page = await bob.request("history", {"room": room, "limit": 5})
        assert contents(page["items"]) == KEPT[-5:]
        found = contents(page["items"])
        while page["next"] is not None:
            page = await bob.request("history", {"room": room, "limit": 5, "before": page["next"]})
            found = contents(page["items"]) + found
        assert found == KEPT
        page = await bob.request("history", {"room": room, "limit": 15, "after": 0})
        assert (contents(page["items"]), page["next"]) == (KEPT[:15], 15)
        page = await bob.request("history", {"room": room, "limit": 15, "after": 15})
        assert (contents(page["items"]), page["next"]) == (KEPT[15:], None)


async def test_a_chat_shows_what_is_left(cluster: Cluster, protocol: str) -> None:
    """`loadMessages` and lists of chats, REST's too, have what is left of a direct chat."""
    ann_id, bob_id = (f"{protocol}-pages-{next(_numbers)}" for _ in range(2))
    async with (
        connect(cluster, 1, ann_id, protocol) as ann,
        connect(cluster, 2, bob_id, protocol) as bob,
    ):
        sends = [{"senderId": ann_id, "receiverId": bob_id, "content": text} for text in KEPT]
        for send in sends:
            chat = (await ann.request("sendMessage", send))["chatId"]
        await send_and_delete(ann, "sendMessage", {"senderId": ann_id, "receiverId": bob_id})
        reply = await bob.request("getMessages", {"chatId": chat, "limit": 5})
        assert contents((await bob.next("loadMessages"))["data"]) == KEPT[-5:]
        found: list[str] = []
        while reply["next"] is not None:
            asked = {"chatId": chat, "limit": 7, "before": reply["next"]}
            reply = await bob.request("getMessages", asked)
            found = contents((await bob.next("loadMessages"))["data"]) + found
        assert found == KEPT[:15]
        await bob.request("getChats", bob_id)
        [listed] = (await bob.next("chatsList"))["data"]
        assert (listed["unread"], listed["lastMessage"]["content"]) == (20, KEPT[-1])
        async with httpx.AsyncClient() as http:
            answer = await http.get(f"{cluster.gateway_url(2)}/chats/user/{bob_id}")
        [by_rest] = answer.json()
        assert by_rest == listed


async def test_a_resume_over_a_long_row_of_deleted_messages(cluster: Cluster, room: str) -> None:
    """A client that missed 1,200 messages and their deletion gets what was said since."""
    async with (
        Peer(cluster.gateway_url(1), "username=ann") as ann,
        Peer(cluster.gateway_url(2), "username=bob") as bob,
    ):
        await ann.request("createRoom", {"name": room})
        await ann.request("joinRoom", {"room": room})

        async def sent(content: str) -> int:
            found: int = (await ann.request("message", {"room": room, "content": content}))["id"]
            return found

        first = await sent("first")
        ids = await asyncio.gather(*(sent("deleted") for _ in range(1200)))
        await asyncio.gather(*(ann.request("deleteMessage", {"messageId": id_}) for id_ in ids))
        last = await sent("last")
        reply = await bob.request("resume", {"rooms": {room: 1}})
        assert reply["rooms"][room] == {"recovered": True, "head": 2402}
        assert [item["id"] for item in bob.all("message", room)] == [last]
        assert len(bob.all("messageDeleted", room)) == 1200
        assert first not in ids
