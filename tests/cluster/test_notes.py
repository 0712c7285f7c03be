"""Notes: a direct chat whose two users are one."""

from itertools import count

import httpx
import pytest

from tests.support.cluster import Cluster
from tests.support.peer import Peer
from tests.support.protocols import connect
from tests.support.stored import eventually, rows

_numbers = count(1)


@pytest.fixture
def me() -> str:
    """A user that no other test uses."""
    return f"note-taker-{next(_numbers)}"


async def chats_of(peer: Peer, user: str) -> list[dict[str, object]]:
    """The list of a user's chats."""
    await peer.request("getChats", {"userId": user})
    found: list[dict[str, object]] = (await peer.next("chatsList"))["data"]
    return found


async def test_notes(cluster: Cluster, me: str, protocol: str) -> None:
    """A note reaches each of the user's connections once, is in one chat, and is never unread."""
    async with (
        connect(cluster, 1, me, protocol) as here,
        connect(cluster, 2, me, protocol) as there,
        connect(cluster, 2, f"{me}-friend", protocol) as other,
    ):
        for peer in (here, there):
            await peer.request("userOnline", {"userId": me})
        await other.request("userOnline", {"userId": f"{me}-friend"})
        chat = await here.request("createChat", {"user1Id": me, "user2Id": me})
        assert (chat["user1Id"], chat["user2Id"]) == (me, me)
        note = {"senderId": me, "receiverId": me, "content": "buy milk"}
        said = await there.request("sendMessage", note)
        assert said["chatId"] == chat["id"]
        again = await here.request("sendMessage", {**note, "content": "and tea"})
        for peer in (here, there):
            await peer.until(2, "newMessage", None)
            assert [one["seq"] for one in peer.all("newMessage")] == [1, 2]
            for told in peer.all("newMessage"):
                assert (told["senderId"], told["receiverId"]) == (me, me)
                assert (told["seen"], told["seenAt"]) == (False, None)
            assert peer.all("newChat") == [chat]
            [listed] = await chats_of(peer, me)
            assert (listed["id"], listed["unread"]) == (chat["id"], 0)
            assert listed["lastMessage"]["content"] == "and tea"  # type: ignore[index]
            items = (await peer.request("history", {"chatId": chat["id"]}))["items"]
            assert [item["content"] for item in items] == ["buy milk", "and tea"]
        # Nobody waits for a sign that it was seen; the other connections learn how far it was read.
        await here.request("markAsSeen", said["id"])
        moved = (await there.next("seen"))["data"]
        assert (moved["user"], moved["seq"]) == (me, 1)
        await here.request("seen", {"chatId": chat["id"], "seq": again["seq"]})
        assert (await there.next("seen"))["data"]["seq"] == 2
        assert not here.all("messageSeen") + there.all("messageSeen")
        assert not here.all("seen")
        await here.request("typing", {"chatId": chat["id"]})
        await there.next("typing")
        await there.request("deleteMessage", said["id"])
        for peer in (here, there):
            await peer.next("messageDeleted")
            assert len(peer.all("messageDeleted")) == 1
        assert not other.all("newMessage") + other.all("newChat") + other.all("messageDeleted")
    async with connect(cluster, 1, me, protocol) as back:
        place = {"chats": {str(chat["id"]): 1}}
        resumed = await back.request("resume", place)
        assert resumed["chats"] == {str(chat["id"]): {"recovered": True, "head": 3}}
        assert [one["content"] for one in back.all("newMessage")] == ["and tea"]
        online = await chats_of(back, me)
        assert [one["unread"] for one in online] == [0]


async def test_over_rest(cluster: Cluster, me: str) -> None:
    """REST makes, shows, lists and deletes the chat, once SQL has it too."""
    async with (
        httpx.AsyncClient(base_url=cluster.url) as http,
        connect(cluster, 1, me, "json") as here,
        connect(cluster, 2, me, "json") as there,
    ):
        for peer in (here, there):
            await peer.request("userOnline", {"userId": me})
        made = await http.post("/chats", json={"user1Id": me, "user2Id": me})
        assert made.status_code == 201
        chat = made.json()["id"]
        assert (
            await http.post("/chats", json={"user1Id": me, "user2Id": me})
        ).json() == made.json()
        for peer in (here, there):
            await peer.next("newChat")
        await here.request("sendMessage", {"senderId": me, "receiverId": me, "content": "note"})
        stored = "SELECT id FROM events WHERE room_id = ?"
        await eventually(lambda: rows(cluster.database, stored, chat), bool)
        assert (await http.get(f"/chats/{chat}")).json() == made.json()
        [listed] = (await http.get(f"/chats/user/{me}")).json()
        assert (listed["id"], listed["unread"]) == (chat, 0)
        assert (await http.delete(f"/chats/{chat}")).status_code == 200
        for peer in (here, there):
            assert (await peer.next("chatDeleted"))["data"] == {"id": chat}
            assert len(peer.all("newChat")) == 1
        assert (await http.get(f"/chats/user/{me}")).json() == []


async def test_numbered_users(cluster: Cluster) -> None:
    """A user with a number may write it either way."""
    async with Peer(cluster.gateway_url(1), "username=90210") as here:
        note = {"senderId": 90210, "receiverId": "90210", "content": "zip"}
        said = await here.request("sendMessage", note)
        [listed] = await chats_of(here, "90210")
        assert listed["id"] == said["chatId"]
        assert (listed["user1Id"], listed["user2Id"]) == (90210, 90210)


async def test_presence_of_partners(me: str) -> None:
    """Where users see their partners only, whoever has notes is their own partner."""
    async with (
        Cluster(env={"BROADCAST_LIMIT": "1"}) as crowded,
        Peer(crowded.gateway_url(1), f"username={me}") as here,
        Peer(crowded.gateway_url(2), f"username={me}") as there,
    ):
        await here.request("userOnline", {"userId": me})
        assert (await here.next("onlineUsers"))["data"] == [me]
        await here.request("createChat", {"user1Id": me, "user2Id": me})
        await there.request("userOnline", {"userId": me})
        assert (await there.next("onlineUsers"))["data"] == [me]
