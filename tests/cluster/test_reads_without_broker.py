"""Reads while the broker is away: they are answered from SQL, in time, and say so."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.socketio_peer import SocketIOPeer
from tests.support.waiting import eventually, until_gone

IN_TIME = 15.0
"""Seconds in which a read is answered, also on a busy machine, however the broker is away."""

broker_away = pytest.mark.parametrize("how", ["ended", "hanging"])


@asynccontextmanager
async def without_broker(cluster: Cluster, how: str) -> AsyncIterator[None]:
    """Keep the broker away from the gateways: it refuses connections, or answers nothing."""
    cluster.kill("cluster", signal.SIGSTOP)  # so that it starts nothing again
    if how == "ended":
        await until_gone(cluster.kill("redis"))
    else:
        cluster.kill("redis", signal.SIGSTOP)
    try:
        yield
    finally:
        if how == "hanging":
            cluster.kill("redis", signal.SIGCONT)
        cluster.kill("cluster", signal.SIGCONT)


def connecting(cluster: Cluster, user: int) -> list[Peer]:
    """New connections of a user, of each format and through both gateways."""
    url1, url2 = cluster.gateway_url(1), cluster.gateway_url(2)
    return [
        Peer(url1, f"username={user}", "json"),
        Peer(url2, f"username={user}", "msgpack"),
        SocketIOPeer(url1, f"username={user}"),
        SocketIOPeer(url2, f"username={user}"),
    ]


async def refused(peer: Peer, event: str, data: object) -> str:
    """Ask what is refused, in time and retryably; return the code."""
    with pytest.raises(Refusal) as caught:
        async with asyncio.timeout(IN_TIME):
            await peer.request(event, data)
    assert caught.value.retryable
    return caught.value.code


async def ask(peer: Peer, event: str, data: object, answer: str) -> tuple[Any, Any]:
    """Ask what is answered, in time; return the reply and the data of the event before it."""
    async with asyncio.timeout(IN_TIME):
        reply = await peer.request(event, data)
    return reply, (await peer.next(answer))["data"]


async def get(cluster: Cluster, number: int, path: str) -> httpx.Response:
    """Ask a gateway by REST."""
    url = cluster.gateway_url(number)
    async with httpx.AsyncClient(base_url=url, timeout=IN_TIME) as http:
        return await http.get(path)


async def say(peer: Peer, receiver: int, content: str) -> tuple[int, int]:
    """Send a direct message of user 1; return the id of the chat, and the message's `seq`."""
    data = {"senderId": 1, "receiverId": receiver, "content": content}
    reply = await peer.request("sendMessage", data)
    return reply["chatId"], reply["seq"]


async def until_stored(peer: Peer, heads: dict[int | str, int]) -> None:
    """Wait until SQL has what a peer sent: up to which `seq`, by room or id of a chat."""
    missing = dict(heads)
    while missing:
        data = (await peer.next("durable"))["data"]
        place = data.get("room", data.get("chatId"))
        if data["seq"] >= missing.get(place, data["seq"] + 1):
            del missing[place]


async def reads_by_frames(peer: Peer, chat: int, new: int) -> None:
    """User 1 reads what SQL has, told so, and is refused what would take something from a page."""
    async with peer:
        for asked in (chat, {"chatId": chat, "limit": 1}):
            reply, messages = await ask(peer, "getMessages", asked, "loadMessages")
            assert reply["partial"] is True
            expected = ["one", "two"] if asked == chat else ["two"]
            assert [message["content"] for message in messages] == expected
        reply, chats = await ask(peer, "getChats", {"userId": 1, "partial": True}, "chatsList")
        assert reply == {"next": None, "partial": True}
        assert [(each["id"], each["lastMessage"]["content"]) for each in chats] == [(chat, "two")]
        reply, rooms = await ask(peer, "getRooms", {"partial": True}, "rooms")
        assert reply == {"partial": True}
        assert rooms == [{"name": "attic", "protected": True}, {"name": "den", "protected": False}]
        lists = len([*peer.all("chatsList"), *peer.all("rooms")])
        for event, data in (
            ("getChats", 1),
            ("getRooms", {}),
            ("joinRoom", {"room": "den"}),
            # SQL does not have it, but it may be in the broker: it is not `not_found`.
            ("getMessages", new),
        ):
            assert await refused(peer, event, data) == "broker_unavailable"
        assert len([*peer.all("chatsList"), *peer.all("rooms")]) == lists


async def sees_nothing(peer: Peer, chat: int) -> None:
    """A chat of others sounds as one that SQL does not have."""
    async with peer:
        no_chat = chat + 2**40  # of the same partition
        for event in ("getMessages", "history"):
            for wanted in (chat, no_chat):
                assert await refused(peer, event, {"chatId": wanted}) == "broker_unavailable"
        reply, chats = await ask(peer, "getChats", {"userId": 3, "partial": True}, "chatsList")
        assert (reply["partial"], chats) == (True, [])


async def reads_by_rest(cluster: Cluster, number: int, chat: int, new: int) -> None:
    """REST answers what SQL has, and says so in a header."""
    found = await get(cluster, number, f"/chats/{chat}")
    assert (found.status_code, found.headers["parley-partial"]) == (200, "true")
    body = found.json()
    assert (body["id"], body["user1Id"], body["user2Id"], body["partial"]) == (chat, 1, 2, True)
    listed = await get(cluster, number, "/chats/user/1")
    assert (listed.status_code, listed.headers["parley-partial"]) == (200, "true")
    assert [each["id"] for each in listed.json()] == [chat]
    refusal = await get(cluster, number, f"/chats/{new}")
    assert refusal.status_code == 503
    assert "parley-partial" not in refusal.headers


async def until_whole_again(cluster: Cluster, chat: int, new: int) -> None:
    """Wait until reads are whole through both gateways, and do not say otherwise."""
    for number in (1, 2):

        async def is_whole(number: int = number) -> bool:
            listed = await get(cluster, number, "/chats/user/1")
            return listed.status_code == 200 and "parley-partial" not in listed.headers

        await eventually(is_whole)
        assert [each["id"] for each in (await get(cluster, number, "/chats/user/1")).json()] == [
            new,
            chat,
        ]
        shown = await get(cluster, number, f"/chats/{new}")
        assert "parley-partial" not in shown.headers
        assert "partial" not in shown.json()
    for peer in connecting(cluster, 1):
        async with peer:
            for event, data, answer in (
                ("getMessages", new, "loadMessages"),
                ("getChats", {"userId": 1, "partial": True}, "chatsList"),
                ("getRooms", {"partial": True}, "rooms"),
            ):
                reply, _ = await ask(peer, event, data, answer)
                assert "partial" not in reply


@broker_away
async def test_reads_go_on(how: str) -> None:
    """While the broker is away users read their chats and lists from SQL, and are told so.

    What would take new chats or rooms off a page is refused, and so is what SQL cannot tell. Once
    the broker is back, all is whole again.
    """
    async with Cluster() as cluster, AsyncExitStack() as stack:
        ann = await stack.enter_async_context(Peer(cluster.gateway_url(1), "username=1&durable=1"))
        await say(ann, 2, "one")
        chat, seq = await say(ann, 2, "two")
        heads: dict[int | str, int] = {chat: seq}
        await ann.request("createRoom", {"name": "den"})
        await ann.request("createRoom", {"name": "attic", "password": "key"})
        for room, password in (("den", None), ("attic", "key")):
            await ann.request("joinRoom", {"room": room, "password": password})
            heads[room] = (await ann.request("message", {"room": room, "content": "x"}))["seq"]
        await until_stored(ann, heads)
        cluster.kill("persister-1", signal.SIGSTOP)
        new, _ = await say(ann, 4, "three")  # in the broker only
        async with without_broker(cluster, how):
            await asyncio.gather(
                *(reads_by_frames(peer, chat, new) for peer in connecting(cluster, 1)),
                *(sees_nothing(peer, chat) for peer in connecting(cluster, 3)),
                *(reads_by_rest(cluster, number, chat, new) for number in (1, 2)),
            )
        cluster.kill("persister-1", signal.SIGCONT)
        await until_whole_again(cluster, chat, new)


async def test_pages_of_chats_do_not_wait_for_the_broker_each() -> None:
    """A later page of the list costs no more time than the first, though all chats have moved."""
    async with Cluster() as cluster, Peer(cluster.gateway_url(1), "username=1&durable=1") as ann:
        for user in range(2, 8):
            await say(ann, user, "hello")
        asked = {"userId": 1, "limit": 2}
        before = (await ann.request("getChats", asked))["next"]
        await until_stored(ann, dict([await say(ann, user, "again") for user in range(2, 8)]))
        async with without_broker(cluster, "hanging"):
            found = await get(cluster, 1, f"/chats/user/1?limit=100&before={before}")
            assert found.headers["parley-partial"] == "true"
            assert len({each["id"] for each in found.json()}) == 6
