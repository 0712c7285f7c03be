"""The first seed's conversation, event by event, between two gateways."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal, Wire

ISO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


@asynccontextmanager
async def two(cluster: Cluster, wire: Wire, room: str | None = None) -> AsyncIterator[list[Peer]]:
    """Ann on gateway 1 and Bob on gateway 2, both in `room` if one is given."""
    async with (
        Peer(cluster.gateway_url(1), "username=ann", wire) as ann,
        Peer(cluster.gateway_url(2), "username=bob", wire) as bob,
    ):
        if room is not None:
            await ann.request("createRoom", {"name": room})
            for peer in (ann, bob):
                await peer.request("joinRoom", {"room": room})
            await ann.next("notification", room=room)
        yield [ann, bob]


def is_now(milliseconds: object) -> bool:
    """Whether a time in milliseconds is within a minute of now."""
    return isinstance(milliseconds, int) and abs(milliseconds / 1000 - time.time()) < 60


async def test_everyone_hears_who_connects_and_goes(cluster: Cluster, wire: Wire) -> None:
    """Everyone, itself too, is told of a connection by name, and everyone of its end."""
    async with Peer(cluster.gateway_url(1), wire=wire) as listener:
        async with Peer(cluster.gateway_url(2), "username=carol", wire) as carol:
            itself = await carol.notified("carol connected")
            assert is_now(itself["data"]["createdAt"])
            assert itself.keys() == {"event", "data"}
            while (await listener.next("notification"))["data"] != itself["data"]:
                pass
        await listener.notified("carol disconnected")


async def test_the_unnamed_are_told_apart(cluster: Cluster, wire: Wire) -> None:
    """A connection without a name is announced as "User <sid>"."""
    async with Peer(cluster.gateway_url(1), "welcome=1", wire) as peer:
        sid = (await peer.next("welcome"))["data"]["sid"]
        await peer.notified(f"User {sid} connected")


async def test_set_username_names_a_connection_once(cluster: Cluster, wire: Wire) -> None:
    """`setUsername` takes an object or a bare name; another name afterwards is forbidden."""
    for data in ({"username": "dora"}, "dora"):
        async with Peer(cluster.gateway_url(1), wire=wire) as peer:
            assert await peer.request("setUsername", data) == {}
            assert await peer.request("setUsername", "dora") == {}
            with pytest.raises(Refusal) as refusal:
                await peer.request("setUsername", "eve")
            assert refusal.value.code == "forbidden"


async def test_create_room(cluster: Cluster, wire: Wire, room: str) -> None:
    """Its creator gets `roomCreated` and the same as reply; the name is taken from then on."""
    async with two(cluster, wire) as (ann, bob):
        reply = await ann.request("createRoom", {"name": room})
        event = await ann.next("roomCreated")
        assert event == {"event": "roomCreated", "data": reply}
        assert reply.keys() == {"id", "name", "protected", "createdAt"}
        assert reply["name"] == room
        assert reply["protected"] is False
        assert isinstance(reply["id"], int)
        assert ISO.match(reply["createdAt"])
        with pytest.raises(Refusal) as refusal:
            await bob.request("createRoom", {"name": room, "password": "x"})
        assert refusal.value.code == "room_exists"
        assert not bob.all("roomCreated")


async def test_an_empty_password_is_none(cluster: Cluster, wire: Wire, room: str) -> None:
    """A room created with the password "" is open."""
    async with two(cluster, wire) as (ann, bob):
        reply = await ann.request("createRoom", {"name": room, "password": ""})
        assert reply["protected"] is False
        assert (await bob.request("joinRoom", {"room": room}))["room"] == room


async def test_a_protected_room_takes_its_password(cluster: Cluster, wire: Wire, room: str) -> None:
    """The right password opens a protected room; the password is sent to nobody."""
    async with two(cluster, wire) as (ann, bob):
        made = await ann.request("createRoom", {"name": room, "password": "open sesame"})
        assert made["protected"] is True
        await bob.emit("joinRoom", {"room": room, "username": "bob", "password": "open sesame"})
        history = await bob.next("messageHistory")
        assert history == {"event": "messageHistory", "room": room, "data": []}
        status = await bob.next("passwordStatus")
        assert status == {"event": "passwordStatus", "room": room, "data": True}
        assert "sesame" not in str(ann.frames + bob.frames)


async def test_a_wrong_password_looks_like_no_room(cluster: Cluster, wire: Wire, room: str) -> None:
    """Wrong password, none, and no such room give the same answer and no way in."""
    async with two(cluster, wire) as (ann, bob):
        await ann.request("createRoom", {"name": room, "password": "right"})
        for name, password in ((room, "wrong"), (room, None), ("nowhere", "wrong")):
            await bob.emit("joinRoom", {"room": name, "password": password})
            with pytest.raises(Refusal) as refusal:
                await bob.request("joinRoom", {"room": name, "password": password})
            assert refusal.value.code == "forbidden"
            for _ in range(2):
                status = await bob.next("passwordStatus")
                assert status == {"event": "passwordStatus", "room": name, "data": False}
                note = await bob.notified("Invalid password")
                assert note["room"] == name
                assert is_now(note["data"]["createdAt"])
            with pytest.raises(Refusal) as refusal:
                await bob.request("message", {"room": name, "content": "let me in"})
            assert refusal.value.code == "not_joined"
        assert not bob.all("error")
        assert not bob.all("messageHistory")


async def test_join_room(cluster: Cluster, wire: Wire, room: str) -> None:
    """Joining shows the history, then the status; the others hear of it, once."""
    async with two(cluster, wire) as (ann, bob):
        await ann.request("createRoom", {"name": room})
        await ann.request("joinRoom", {"room": room})
        said = await ann.request("message", {"room": room, "content": "first"})
        joined = await bob.request("joinRoom", {"room": room, "username": "bob"})
        assert joined.keys() >= {"room", "head", "epoch"}
        assert (joined["room"], joined["head"]) == (room, said["seq"])
        kinds = [frame["event"] for frame in bob.frames if frame.get("room") == room]
        assert kinds == ["messageHistory", "passwordStatus"]
        [history] = bob.all("messageHistory")
        assert history == await ann.until(1, "message", room)
        note = await ann.next("notification", room=room)
        assert note["data"]["content"] == "bob has joined the room"
        assert is_now(note["data"]["createdAt"])
        await bob.request("message", {"room": room, "content": "second"})
        await ann.until(2, "message", room)
        await bob.until(1, "message", room)
        assert len(ann.all("notification", room)) == 1
        assert not bob.all("notification", room)


async def test_join_shows_the_newest_hundred(cluster: Cluster, wire: Wire, room: str) -> None:
    """Of a long history, joining shows the newest 100, oldest first."""
    async with two(cluster, wire, room) as (ann, _):
        sends = (ann.request("message", {"room": room, "content": str(n)}) for n in range(130))
        await asyncio.gather(*sends)
        async with Peer(cluster.gateway_url(2), wire=wire) as late:
            await late.request("joinRoom", {"room": room})
            [history] = late.all("messageHistory")
            assert [item["content"] for item in history] == [str(n) for n in range(30, 130)]


async def test_get_rooms(cluster: Cluster, wire: Wire) -> None:
    """`rooms` lists names and locks by name, in pages where asked, however new they are."""
    async with two(cluster, wire) as (ann, bob):
        names = [f"list {wire} {letter}" for letter in "cadb"]
        for name in names:
            await ann.request(
                "createRoom", {"name": name, "password": name[-1] * (name[-1] == "a")}
            )
        await bob.emit("getRooms")
        rooms = (await bob.next("rooms"))["data"]
        listed = [found["name"] for found in rooms]
        assert listed == sorted(listed, key=str.lower)
        ours = [found for found in rooms if found["name"] in names]
        assert ours == [{"name": name, "protected": name[-1] == "a"} for name in sorted(names)]
        reply = await bob.request("getRooms", {"after": f"list {wire} a", "limit": 2})
        assert reply == {"next": f"list {wire} c"}
        page = (await bob.next("rooms"))["data"]
        assert [found["name"] for found in page] == [f"list {wire} b", f"list {wire} c"]


async def test_message(cluster: Cluster, wire: Wire, room: str) -> None:
    """A message reaches all in the room, its sender too, alike; the reply names its place."""
    async with two(cluster, wire, room) as (ann, bob):
        replies = [
            await peer.request("message", {"room": room, "content": text, "sender": name})
            for peer, text, name in ((ann, "hello", "ann"), (bob, "hi <b>ann</b> 🎉", "bob"))
        ]
        seen = [await peer.until(2, "message", room) for peer in (ann, bob)]
        assert seen[0] == seen[1]
        first, second = seen[0]
        assert first == {
            **replies[0],
            "prev": 0,
            "room": room,
            "content": "hello",
            "sender": "ann",
        }
        assert second == {
            **replies[1],
            "prev": 1,
            "room": room,
            "content": "hi <b>ann</b> 🎉",
            "sender": "bob",
        }
        assert replies[0].keys() == {"id", "seq", "createdAt"}
        assert [reply["seq"] for reply in replies] == [1, 2]
        assert ISO.match(replies[0]["createdAt"])
        frame = await bob.next("message")
        assert frame.keys() == {"event", "room", "data"}


async def test_nobody_speaks_for_another(cluster: Cluster, wire: Wire, room: str) -> None:
    """A sender that is not the connection's own is refused, in messages and in typing."""
    async with two(cluster, wire, room) as (ann, bob):
        for event, data in (
            ("message", {"room": room, "content": "I am Bob", "sender": "bob"}),
            ("typing", {"room": room, "username": "bob"}),
        ):
            with pytest.raises(Refusal) as refusal:
                await ann.request(event, data)
            assert refusal.value.code == "forbidden"
        await ann.request("message", {"room": room, "content": "end"})
        assert [m["content"] for m in await bob.until(1, "message", room)] == ["end"]


async def test_not_joined(cluster: Cluster, wire: Wire, room: str) -> None:
    """Talking, typing, reading and deleting in a room one is not in is `not_joined`."""
    async with two(cluster, wire) as (ann, bob):
        await ann.request("createRoom", {"name": room})
        for event, data in (
            ("message", {"room": room, "content": "x"}),
            ("typing", {"room": room}),
            ("deleteMessages", {"room": room}),
            ("history", {"room": room}),
        ):
            with pytest.raises(Refusal) as refusal:
                await bob.request(event, data)
            assert refusal.value.code == "not_joined"


async def test_typing_ends_by_itself(cluster: Cluster, wire: Wire, room: str) -> None:
    """The others see who types, and 2.2 s after the last sign that it is over."""
    async with two(cluster, wire, room) as (ann, bob):
        await ann.emit("typing", {"room": room, "username": "ann"})
        started = await bob.next("typing")
        shown = {"event": "typing", "room": room, "data": "ann is typing...", "users": ["ann"]}
        assert started == shown
        last = time.monotonic()
        await ann.request("typing", {"room": room})
        # On a machine that is busy enough, the first sign may have ended by now.
        while (await bob.next("typing"))["data"] != "ann is typing...":
            pass
        assert (await bob.next("typing"))["data"] == ""
        assert time.monotonic() - last >= 2.1
        assert not ann.all("typing")


async def test_leave_room(cluster: Cluster, wire: Wire, room: str) -> None:
    """Leaving, by object or bare name, is told to the others and ends what one hears."""
    async with two(cluster, wire, room) as (ann, bob):
        assert await bob.request("leaveRoom", room) == {}
        note = await ann.next("notification", room=room)
        assert note["data"]["content"] == "bob has left the room"
        await ann.request("message", {"room": room, "content": "alone"})
        await bob.request("joinRoom", {"room": room})
        assert not bob.all("message")
        await ann.next("notification", room=room)
        assert await bob.request("leaveRoom", {"room": room}) == {}
        await ann.next("notification", room=room)


async def test_leaving_where_one_is_not_is_nothing(cluster: Cluster, wire: Wire, room: str) -> None:
    """Leaving a room one is not in does nothing, to anybody."""
    async with two(cluster, wire) as (ann, bob):
        await ann.request("createRoom", {"name": room})
        await ann.request("joinRoom", {"room": room})
        assert await bob.request("leaveRoom", {"room": room}) == {}
        await ann.request("message", {"room": room, "content": "end"})
        await ann.until(1, "message", room)
        assert not ann.all("notification", room)


async def test_delete_messages(cluster: Cluster, wire: Wire, room: str) -> None:
    """Deleting reaches all in the room; history is empty from then on, for everyone."""
    for data in ({"room": room}, room):
        async with two(cluster, wire) as (ann, bob):
            if isinstance(data, dict):
                await ann.request("createRoom", {"name": room})
            for peer in (ann, bob):
                await peer.request("joinRoom", {"room": room})
            said = await ann.request("message", {"room": room, "content": "secret"})
            assert await bob.request("deleteMessages", data) == {}
            for peer in (ann, bob):
                deleted = await peer.next("deleteMessages")
                place = {"room": room, "seq": said["seq"] + 1, "prev": said["seq"]}
                assert deleted == {"event": "deleteMessages", "room": room, "data": place}
                note = await peer.next("notification", room=room)
                assert note["data"]["content"] == "All messages have been deleted"
                assert (await peer.request("history", {"room": room}))["items"] == []


async def test_history_pages(cluster: Cluster, wire: Wire, room: str) -> None:
    """Pages backward and forward show every message once, in order, whatever their size."""
    async with two(cluster, wire, room) as (ann, bob):
        for n in range(25):
            await (ann, bob)[n % 2].request("message", {"room": room, "content": str(n)})
        everything = await ann.until(25, "message", room)
        newest = await bob.request("history", {"room": room})
        assert newest == {"items": everything, "head": 25, "partial": False, "next": None}
        page = await bob.request("history", {"room": room, "limit": 7})
        backward = page["items"]
        while page["items"]:
            data = {"room": room, "limit": 7, "before": backward[0]["seq"]}
            page = await bob.request("history", data)
            backward = page["items"] + backward
        assert backward == everything
        forward: list[object] = []
        after = 0
        while items := (await ann.request("history", {"room": room, "limit": 4, "after": after}))[
            "items"
        ]:
            forward += items
            after = items[-1]["seq"]
        assert forward == everything
