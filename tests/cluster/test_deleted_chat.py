"""The id of a deleted chat names nothing, wherever it was deleted and whatever knows of it."""

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import httpx
import pytest
import pytest_asyncio
import redis.asyncio

from tests.support import waiting
from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.protocols import connect
from tests.support.stored import eventually, rows

NOWHERE = {"recovered": False, "head": 0}
TRIES = 30
"""Deletions that race a send."""

_numbers = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def forgetful() -> AsyncIterator[Cluster]:
    """A cluster whose chats leave the broker soon."""
    async with Cluster(env={"ROOM_IDLE": "1"}) as running:
        yield running


def names() -> tuple[str, str]:
    """Two users that no other test uses."""
    number = next(_numbers)
    return f"gone-ann-{number}", f"gone-bob-{number}"


async def delete(cluster: Cluster, gateway: int, chat: int) -> int:
    """Delete a chat through a gateway; return the status of the answer."""
    async with httpx.AsyncClient(base_url=cluster.gateway_url(gateway)) as http:
        return (await http.delete(f"/chats/{chat}")).status_code


async def code_of(peer: Peer, event: str, data: object) -> str:
    """The code with which something is refused."""
    with pytest.raises(Refusal) as refusal:
        await peer.request(event, data)
    return refusal.value.code


async def names_nothing(
    cluster: Cluster, peer: Peer, users: tuple[str, str], said: dict[str, Any]
) -> None:
    """Whatever is asked by the id of the deleted chat, or of its message, is `not_found`."""
    chat, (me, other) = said["chatId"], users
    for event, data in (
        ("sendMessage", {"senderId": me, "receiverId": other, "content": "late", "chatId": chat}),
        ("history", {"chatId": chat}),
        ("getMessages", chat),
        ("seen", {"chatId": chat, "seq": 1}),
        ("typing", {"chatId": chat}),
        ("markAsSeen", said["id"]),
        ("deleteMessage", said["id"]),
    ):
        assert await code_of(peer, event, data) == "not_found", event
    place = await peer.request("resume", {"chats": {str(chat): 0}})
    assert place["chats"] == {str(chat): NOWHERE}
    for gateway in (1, 2):
        async with httpx.AsyncClient(base_url=cluster.gateway_url(gateway)) as http:
            assert (await http.get(f"/chats/{chat}")).status_code == 404
            assert (await http.delete(f"/chats/{chat}")).status_code == 404


async def chats_of(peer: Peer, user: str) -> list[int]:
    """The ids of a user's chats."""
    await peer.request("getChats", {"userId": user})
    return [chat["id"] for chat in (await peer.next("chatsList"))["data"]]


async def test_it_names_nothing(cluster: Cluster, protocol: str) -> None:
    """An id of a deleted chat is `not_found` for everything, and no new chat comes of it."""
    me, other = users = names()
    async with (
        connect(cluster, 1, me, protocol) as ann,
        connect(cluster, 2, other, protocol) as bob,
    ):
        for peer, user in ((ann, me), (bob, other)):
            await peer.request("userOnline", {"userId": user})
        message = {"senderId": other, "receiverId": me, "content": "hello"}
        said = await bob.request("sendMessage", message)
        for peer in (ann, bob):
            await peer.next("newMessage")
        assert await delete(cluster, 2, said["chatId"]) == 200
        # At once, so the gateway may not know of the deletion yet.
        late = {"senderId": me, "receiverId": other, "content": "late", "chatId": said["chatId"]}
        assert await code_of(ann, "sendMessage", late) == "not_found"
        await ann.next("chatDeleted")
        await names_nothing(cluster, ann, users, said)
        assert await chats_of(ann, me) == []
        # Nor does it name the pair's next chat, which takes messages by its own id.
        pair = {"user1Id": me, "user2Id": other}
        chat = (await ann.request("createChat", pair))["id"]
        await names_nothing(cluster, ann, users, said)
        await names_nothing(cluster, bob, (other, me), said)
        await ann.request("sendMessage", {**late, "chatId": chat, "content": "new"})
        for peer in (ann, bob):
            assert (await peer.next("newMessage"))["data"]["content"] == "new"
        assert await chats_of(bob, other) == [chat]


async def test_a_send_races_the_deletion(cluster: Cluster) -> None:
    """A send that names its chat goes into that chat or nowhere, however close the deletion is."""
    me, other = names()
    async with connect(cluster, 1, me, "json") as ann, connect(cluster, 2, other, "json") as bob:
        for peer, user in ((ann, me), (bob, other)):
            await peer.request("userOnline", {"userId": user})
        for _ in range(TRIES):
            message = {"senderId": me, "receiverId": other, "content": "hello"}
            chat = (await ann.request("sendMessage", message))["chatId"]
            await ann.next("newMessage")
            assert await delete(cluster, 2, chat) == 200
            late = await code_of(ann, "sendMessage", {**message, "chatId": chat})
            assert late == "not_found"
        assert await chats_of(ann, me) == await chats_of(bob, other) == []


async def test_by_the_new_id_at_once(cluster: Cluster) -> None:
    """The pair's new chat takes messages by its id on a gateway that has just lost the old one."""
    me, other = names()
    async with connect(cluster, 1, me, "json") as ann, connect(cluster, 2, other, "json") as bob:
        await ann.request("userOnline", {"userId": me})
        for _ in range(TRIES):
            message = {"senderId": me, "receiverId": other, "content": "hello"}
            chat = (await ann.request("sendMessage", message))["chatId"]
            assert await delete(cluster, 2, chat) == 200
            pair = {"user1Id": me, "user2Id": other}
            new = (await bob.request("createChat", pair))["id"]
            sent = await ann.request("sendMessage", {**message, "chatId": new})
            assert sent["chatId"] == new
            assert await delete(cluster, 2, new) == 200


async def test_once_it_is_stored(forgetful: Cluster) -> None:
    """The id names nothing once SQL has the deletion and the broker has forgotten the chat."""
    me, other = users = names()
    broker: Any = redis.asyncio.Redis.from_url(forgetful.redis_url)
    async with connect(forgetful, 1, me, "json") as ann:
        said = await ann.request(
            "sendMessage", {"senderId": me, "receiverId": other, "content": "hello"}
        )
        assert await delete(forgetful, 2, said["chatId"]) == 200
        gone = "SELECT id FROM rooms WHERE id = ? AND deleted"
        await eventually(lambda: rows(forgetful.database, gone, said["chatId"]), bool)
        await names_nothing(forgetful, ann, users, said)

        async def is_evicted() -> bool:
            return not [key async for key in broker.scan_iter(match=f"*room:d:*{me}*")]

        await waiting.eventually(is_evicted)
        await names_nothing(forgetful, ann, users, said)
        assert await chats_of(ann, me) == []
    await broker.aclose()
