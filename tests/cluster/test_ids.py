"""Ids and other integers as clients write them, over the wire formats, Socket.IO and REST."""

from collections.abc import AsyncIterator
from itertools import count

import httpx
import pytest
import pytest_asyncio

from tests.support.cluster import Cluster
from tests.support.peer import Refusal
from tests.support.protocols import connect

_users = count(2**53 - 1, -1)  # from the largest one down
NO_IDS = ["", " ", "+1", "-1", "0", "01", "1e3", "0x10", "1.5", "NaN", "true", "\u0663", "9" * 39]
UNKNOWN = 2**53 - 1


@pytest_asyncio.fixture
async def http(cluster: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the load balancer."""
    async with httpx.AsyncClient(base_url=cluster.url) as client:
        yield client


async def test_large_users_are_integers_everywhere(
    cluster: Cluster, http: httpx.AsyncClient, protocol: str
) -> None:
    """Users up to 2^53 - 1 come back as integers, in events, lists and REST."""
    one, other = next(_users), next(_users)
    async with (
        connect(cluster, 1, protocol=protocol) as ann,
        connect(cluster, 2, protocol=protocol) as bob,
    ):
        await ann.request("userOnline", one)
        await bob.request("userOnline", str(other))
        sent = {"senderId": float(one), "receiverId": str(other), "content": "hi"}
        chat = (await ann.request("sendMessage", sent))["chatId"]
        for peer in (ann, bob):
            message = (await peer.next("newMessage"))["data"]
            assert (message["senderId"], message["receiverId"]) == (one, other)
        [listed] = (await http.get(f"/chats/user/{other}")).json()
        assert {listed["user1Id"], listed["user2Id"]} == {one, other}
        for written in (chat, float(chat), str(chat)):
            await bob.request("getMessages", written)
            [shown] = (await bob.next("loadMessages"))["data"]
            assert shown["id"] == message["id"]
        await bob.request("markAsSeen", {"messageId": str(message["id"])})
        seen = (await ann.next("messageSeen"))["data"]
        assert (seen["messageId"], seen["seen"]) == (message["id"], True)


async def test_what_is_no_id(cluster: Cluster, http: httpx.AsyncClient, protocol: str) -> None:
    """What is not an id is `bad_request` wherever one belongs; one that nothing has, not found."""
    async with connect(cluster, 1, protocol=protocol) as ann:
        await ann.request("userOnline", next(_users))
        for given in (*NO_IDS, "9" * 5000, -1, 0, 1.5, True, 2**53, [1]):
            for event, name in (
                ("getMessages", "chatId"),
                ("history", "chatId"),
                ("markAsSeen", "messageId"),
                ("deleteMessage", "messageId"),
            ):
                with pytest.raises(Refusal) as refusal:
                    await ann.request(event, {name: given})
                assert refusal.value.code == "bad_request"
        for event in ("getMessages", "markAsSeen", "deleteMessage"):
            for given in (UNKNOWN, str(UNKNOWN), float(UNKNOWN)):
                with pytest.raises(Refusal) as refusal:
                    await ann.request(event, given)
                assert refusal.value.code == "not_found"
    for given in (*NO_IDS[1:], "9" * 5000, str(2**53)):
        answer = await http.get(f"/chats/{given}")
        assert (answer.status_code, answer.json()["error"]) == (400, "Bad Request")
    assert (await http.get(f"/chats/{UNKNOWN}")).status_code == 404


async def test_null_is_as_if_left_out(cluster: Cluster, protocol: str, room: str) -> None:
    """`null` for an optional field, or for data without required ones, is as if left out."""
    async with connect(cluster, 2, protocol=protocol) as ann:
        await ann.request("createRoom", {"name": room, "password": None})
        joins = {"room": room, "username": "ann", "password": None, "grant": None}
        await ann.request("joinRoom", joins)
        sent = {"room": room, "content": "hi", "sender": None, "clientMsgId": None, "resend": None}
        await ann.request("message", sent)
        asked = {"room": room, "chatId": None, "before": None, "after": None, "limit": None}
        [item] = (await ann.request("history", asked))["items"]
        assert item["content"] == "hi"
        await ann.request("getRooms", {"after": None, "limit": None})
        lost = {"rooms": {room: 0}, "chats": None, "grants": None}
        assert (await ann.request("resume", lost))["rooms"][room]["recovered"]
        with pytest.raises(Refusal, match="room"):
            await ann.request("message", {"room": None, "content": "hi"})
