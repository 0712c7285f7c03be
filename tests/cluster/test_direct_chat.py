"""The second seed's conversation, event by event, between two gateways."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest

from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal, Wire

ISO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
_users = count(1)


@asynccontextmanager
async def pair(cluster: Cluster, wire: Wire) -> AsyncIterator[tuple[Peer, Peer, int, int]]:
    """Two users nobody else is, online on two gateways, and their ids."""
    one, other = next(_users), next(_users)
    async with (
        Peer(cluster.gateway_url(1), wire=wire) as ann,
        Peer(cluster.gateway_url(2), wire=wire) as bob,
    ):
        assert await ann.request("userOnline", one) == {}
        assert await bob.request("userOnline", {"userId": other}) == {}
        yield ann, bob, one, other


async def told(peer: Peer, event: str) -> Any:  # noqa: ANN401 - any payload
    """The data of the next event of this name."""
    return (await peer.next(event))["data"]


async def test_create_chat(cluster: Cluster, wire: Wire) -> None:
    """Both users hear of a new chat; asked again, either way round, it is the same one."""
    async with pair(cluster, wire) as (ann, bob, one, other):
        made = await ann.request("createChat", {"user1Id": one, "user2Id": other})
        assert made.keys() == {"id", "user1Id", "user2Id", "createdAt"}
        assert (made["user1Id"], made["user2Id"]) == (one, other)
        assert ISO.match(made["createdAt"])
        for peer in (ann, bob):
            assert await peer.next("newChat") == {"event": "newChat", "data": made}
        again = await bob.request("createChat", {"user1Id": other, "user2Id": one})
        assert again == made
        assert await told(bob, "newChat") == made
        await bob.request("getChats", other)
        assert len(ann.all("newChat")) == 1


async def test_send_message(cluster: Cluster, wire: Wire) -> None:
    """A message reaches every connection of both users once; the chat is made if there is none."""
    async with (
        pair(cluster, wire) as (ann, bob, one, other),
        Peer(cluster.gateway_url(2), wire=wire) as ann_too,
    ):
        await ann_too.request("userOnline", {"userId": one})
        data = {"senderId": one, "receiverId": other, "content": "Hello!"}
        reply = await ann.request("sendMessage", data)
        assert reply.keys() == {"id", "seq", "createdAt", "chatId"}
        for peer in (ann, bob, ann_too):
            message = await peer.next("newMessage")
            assert message == {
                "event": "newMessage",
                "data": {
                    **reply,
                    "prev": 0,
                    "senderId": one,
                    "receiverId": other,
                    "content": "Hello!",
                    "seen": False,
                    "seenAt": None,
                },
            }
            [chat] = peer.all("newChat")
            assert chat["id"] == reply["chatId"]
        back = await bob.request(
            "sendMessage",
            {"senderId": other, "receiverId": one, "content": "Hi", "chatId": reply["chatId"]},
        )
        assert (back["chatId"], back["seq"]) == (reply["chatId"], reply["seq"] + 1)
        for peer in (ann, bob, ann_too):
            assert (await told(peer, "newMessage"))["content"] == "Hi"
            assert len(peer.all("newMessage")) == 2


async def test_text_ids_stay_text(cluster: Cluster, wire: Wire) -> None:
    """A user id that is text is given back as text, one that is an integer as an integer."""
    number = next(_users)
    async with Peer(cluster.gateway_url(1), wire=wire) as peer:
        await peer.request("userOnline", f"zoe-{number}")
        made = await peer.request("createChat", {"user1Id": f"zoe-{number}", "user2Id": number})
        assert (made["user1Id"], made["user2Id"]) == (f"zoe-{number}", number)
        data = {"senderId": f"zoe-{number}", "receiverId": str(number), "content": "x"}
        assert (await peer.request("sendMessage", data))["chatId"] == made["id"]
        message = await told(peer, "newMessage")
        assert (message["senderId"], message["receiverId"]) == (f"zoe-{number}", number)


async def test_get_chats(cluster: Cluster, wire: Wire) -> None:
    """`chatsList` has unread and last message of each chat, the latest news first."""
    async with pair(cluster, wire) as (ann, bob, one, other):
        third = next(_users)
        for receiver, text in ((other, "a"), (third, "b"), (other, "c")):
            data = {"senderId": one, "receiverId": receiver, "content": text}
            await ann.request("sendMessage", data)
            await asyncio.sleep(0.002)  # news of one millisecond has no order over chats
        for argument in (one, {"userId": one}):
            assert await ann.request("getChats", argument) == {"next": None}
            mine = await told(ann, "chatsList")
            assert [chat["user2Id"] for chat in mine] == [other, third]
            assert [chat["unread"] for chat in mine] == [0, 0]
        await bob.request("getChats", other)
        [chat] = await told(bob, "chatsList")
        last = (await bob.until(2, "newMessage", None))[-1]
        assert chat == {
            "id": last["chatId"],
            "user1Id": one,
            "user2Id": other,
            "createdAt": chat["createdAt"],
            "unread": 2,
            "lastMessage": last,
        }


async def test_get_messages(cluster: Cluster, wire: Wire) -> None:
    """`loadMessages` has the newest messages, oldest first, or those before a place."""
    async with pair(cluster, wire) as (ann, bob, one, other):
        for n in range(5):
            data = {"senderId": one, "receiverId": other, "content": str(n)}
            chat = (await ann.request("sendMessage", data))["chatId"]
        everything = await bob.until(5, "newMessage", None)
        for argument in (chat, {"chatId": chat}):
            assert await bob.request("getMessages", argument) == {"next": None}
            assert await told(bob, "loadMessages") == everything
        asked = {"chatId": chat, "before": 4, "limit": 2}
        assert await ann.request("getMessages", asked) == {"next": 2}
        assert await told(ann, "loadMessages") == everything[1:3]
        page = await bob.request("history", {"chatId": chat, "after": 3})
        assert page == {"items": everything[3:], "head": 5, "partial": False, "next": None}


async def test_mark_as_seen(cluster: Cluster, wire: Wire) -> None:
    """The receiver marks a message and all before it as seen; the sender hears of it."""
    async with (
        pair(cluster, wire) as (ann, bob, one, other),
        Peer(cluster.gateway_url(1), wire=wire) as bob_too,
    ):
        await bob_too.request("userOnline", other)
        data = {"senderId": one, "receiverId": other, "content": "x"}
        sent = [await ann.request("sendMessage", data) for _ in range(3)]
        for peer in (ann, bob_too):  # whose gateways follow the chat from then on
            await peer.until(3, "newMessage", None)
        with pytest.raises(Refusal) as refusal:
            await ann.request("markAsSeen", {"messageId": sent[1]["id"]})
        assert refusal.value.code == "forbidden"
        await bob.request("markAsSeen", {"messageId": sent[1]["id"]})
        for peer in (ann, bob_too):
            seen = await peer.next("messageSeen")
            assert seen == {
                "event": "messageSeen",
                "chatId": sent[1]["chatId"],
                "data": {"messageId": sent[1]["id"], "seen": True},
            }
        assert not bob.all("messageSeen")
        await ann.request("getMessages", sent[0]["chatId"])
        shown = await told(ann, "loadMessages")
        assert [message["seen"] for message in shown] == [True, True, False]
        assert ISO.match(shown[0]["seenAt"])
        assert shown[0]["seenAt"] == shown[1]["seenAt"]
        assert shown[2]["seenAt"] is None
        await bob.request("markAsSeen", sent[2]["id"])
        await ann.request("getMessages", sent[0]["chatId"])
        later = await told(ann, "loadMessages")
        assert [message["seen"] for message in later] == [True, True, True]
        assert later[:2] == shown[:2]
        await bob.request("getChats", other)
        assert [chat["unread"] for chat in await told(bob, "chatsList")] == [0]


async def test_seen_moves_a_cursor_forward(cluster: Cluster, wire: Wire) -> None:
    """`seen` tells the others how far one is, never back and never past the head."""
    async with pair(cluster, wire) as (ann, bob, one, other):
        data = {"senderId": one, "receiverId": other, "content": "x"}
        for _ in range(4):
            chat = (await ann.request("sendMessage", data))["chatId"]
        await ann.until(4, "newMessage", None)  # her gateway follows the chat from then on
        for seq in (2, 1, 999, 3):
            await bob.request("seen", {"chatId": chat, "seq": seq})
        for place in (2, 4):
            frame = await ann.next("seen")
            assert frame == {
                "event": "seen",
                "chatId": chat,
                "data": {"user": other, "seq": place},
            }
        await bob.request("getChats", other)
        assert [chat["unread"] for chat in await told(bob, "chatsList")] == [0]
        assert len(ann.all("seen")) == 2
        assert not bob.all("seen")


async def test_seen_in_a_room(cluster: Cluster, wire: Wire, room: str) -> None:
    """In a room, the others in it hear how far one has seen."""
    async with (
        Peer(cluster.gateway_url(1), "username=ann", wire) as ann,
        Peer(cluster.gateway_url(2), "username=bob", wire) as bob,
    ):
        await ann.request("createRoom", {"name": room})
        for peer in (ann, bob):
            await peer.request("joinRoom", {"room": room})
        await ann.request("message", {"room": room, "content": "x"})
        await bob.request("seen", {"room": room, "seq": 1})
        frame = await ann.next("seen")
        assert frame == {"event": "seen", "room": room, "data": {"user": "bob", "seq": 1}}


async def test_delete_message(cluster: Cluster, wire: Wire) -> None:
    """Its sender deletes a message; both hear of it, and it is shown and counted no more."""
    async with pair(cluster, wire) as (ann, bob, one, other):
        data = {"senderId": one, "receiverId": other, "content": "x"}
        sent = [await ann.request("sendMessage", data) for _ in range(3)]
        with pytest.raises(Refusal) as refusal:
            await bob.request("deleteMessage", {"messageId": sent[1]["id"]})
        assert refusal.value.code == "forbidden"
        for argument in (sent[1]["id"], {"messageId": sent[1]["id"]}):
            assert await ann.request("deleteMessage", argument) == {}
        for peer in (ann, bob):
            gone = await told(peer, "messageDeleted")
            assert gone == {"messageId": sent[1]["id"], "seq": 4, "prev": 3}
        await bob.request("getMessages", sent[0]["chatId"])
        assert [m["seq"] for m in await told(bob, "loadMessages")] == [1, 3]
        page = await bob.request("history", {"chatId": sent[0]["chatId"]})
        assert [item.get("deleted", False) for item in page["items"]] == [False, True, False]
        assert "content" not in page["items"][1]
        await bob.request("getChats", other)
        assert [chat["unread"] for chat in await told(bob, "chatsList")] == [2]
        assert len(ann.all("messageDeleted")) == 1


async def test_typing_in_a_chat(cluster: Cluster, wire: Wire) -> None:
    """The other user sees who types, and that it is over."""
    async with pair(cluster, wire) as (ann, bob, one, other):
        data = {"senderId": one, "receiverId": other, "content": "x"}
        chat = (await ann.request("sendMessage", data))["chatId"]
        await bob.next("newMessage")  # his gateway follows the chat from then on
        await ann.request("typing", {"chatId": chat})
        frame = await bob.next("typing")
        shown = {"event": "typing", "chatId": chat, "data": f"{one} is typing...", "users": [one]}
        assert frame == shown
        assert (await bob.next("typing"))["data"] == ""
        assert not ann.all("typing")


async def test_chats_of_others_look_like_none(cluster: Cluster, wire: Wire) -> None:
    """Whoever is not in a chat can neither read, mark, delete nor type in it."""
    async with (
        pair(cluster, wire) as (ann, _, one, other),
        Peer(cluster.gateway_url(2), wire=wire) as eve,
    ):
        await eve.request("userOnline", next(_users))
        data = {"senderId": one, "receiverId": other, "content": "x"}
        sent = await ann.request("sendMessage", data)
        for event, argument in (
            ("getMessages", sent["chatId"]),
            ("history", {"chatId": sent["chatId"]}),
            ("seen", {"chatId": sent["chatId"], "seq": 1}),
            ("typing", {"chatId": sent["chatId"]}),
            ("markAsSeen", sent["id"]),
            ("deleteMessage", sent["id"]),
        ):
            with pytest.raises(Refusal) as refusal:
                await eve.request(event, argument)
            assert refusal.value.code == "not_found"
        for event, argument in (
            ("getChats", one),
            ("userOnline", one),
            ("createChat", {"user1Id": one, "user2Id": other}),
            ("sendMessage", data),
        ):
            with pytest.raises(Refusal) as refusal:
                await eve.request(event, argument)
            assert refusal.value.code == "forbidden"


async def test_who_was_away_hears_of_unread_chats(cluster: Cluster, wire: Wire) -> None:
    """On coming online, the chats with unread messages come by themselves."""
    async with pair(cluster, wire) as (ann, bob, one, other):
        assert not ann.all("chatsList")
        await bob.request("userOffline", other)
        data = {"senderId": one, "receiverId": other, "content": "are you there?"}
        await ann.request("sendMessage", data)
        await bob.request("userOnline", other)
        [chat] = await told(bob, "chatsList")
        assert chat["unread"] == 1
        assert chat["lastMessage"]["content"] == "are you there?"


async def test_online_users(cluster: Cluster, wire: Wire) -> None:
    """Everyone online hears who is; a user with two connections stays until both are gone."""
    async with pair(cluster, wire) as (ann, bob, one, other):

        async def until(*, is_online: bool) -> None:
            while (other in (await ann.next("onlineUsers"))["data"]) is not is_online:
                pass

        await until(is_online=True)
        async with Peer(cluster.gateway_url(1), wire=wire) as bob_too:
            await bob_too.request("userOnline", other)
            online = (await bob_too.next("onlineUsers"))["data"]
            assert {one, other} <= set(online)
            await bob.request("userOffline", other)
            async with Peer(cluster.gateway_url(2), wire=wire) as carol:
                third = next(_users)
                await carol.request("userOnline", third)
                while third not in (now := (await ann.next("onlineUsers"))["data"]):
                    pass
                assert other in now
        await until(is_online=False)


async def test_both_create_the_chat_at_once(cluster: Cluster) -> None:
    """Two users who make their chat at the same moment through two gateways have one chat."""
    async with pair(cluster, "json") as (ann, bob, one, other):
        for n in range(200):
            pairs = [{"user1Id": one, "user2Id": f"{one}.{other}.{n}"}]
            pairs.append({"user1Id": pairs[0]["user2Id"], "user2Id": one})
            async with Peer(cluster.gateway_url(2)) as guest:
                made = await asyncio.gather(
                    ann.request("createChat", pairs[0]), guest.request("createChat", pairs[1])
                )
            assert made[0]["id"] == made[1]["id"]
        await ann.request("getChats", one)
        chats = await told(ann, "chatsList")
        assert len({chat["id"] for chat in chats}) == len(chats) == 200
        assert not bob.all("error")
