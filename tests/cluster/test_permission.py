"""Who may what in a room: on every gateway, in every protocol, for those who come back too."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
import redis.asyncio

from tests.support import waiting
from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.protocols import connect
from tests.support.socketio_peer import SocketIOPeer
from tests.support.stored import eventually, messages, rows

NOWHERE = {"recovered": False, "head": 0}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def restless() -> AsyncIterator[Cluster]:
    """A cluster whose rooms leave the broker soon, and whose broker may be harmed."""
    async with Cluster(env={"ROOM_IDLE": "1"}) as running:
        yield running


async def refused(peer: Peer, event: str, data: object) -> str:
    """The code with which something is refused."""
    with pytest.raises(Refusal) as refusal:
        await peer.request(event, data)
    return refusal.value.code


async def refused_why(peer: Peer, event: str, data: object) -> tuple[str, str | None]:
    """The code with which something is refused, and the reason that a program can read."""
    with pytest.raises(Refusal) as refusal:
        await peer.request(event, data)
    return refusal.value.code, refusal.value.reason


async def make(ann: Peer, room: str, password: str = "") -> None:
    """Let ann make a room and enter it."""
    await ann.request("createRoom", {"name": room, "password": password})
    await ann.request("joinRoom", {"room": room, "password": password})


Asked = list[tuple[str, dict[str, object]]]

OF_MEMBERS: Asked = [
    ("message", {"content": "hi"}),
    ("history", {}),
    ("typing", {}),
    ("seen", {"seq": 1}),
    ("deleteMessages", {}),
    ("kick", {"user": "ann"}),
    ("setPassword", {"password": "mine"}),
]
"""What only members may ask of a room."""


async def is_shut_out(peer: Peer, room: str) -> None:
    """Whatever is asked of the room sounds as if there were none."""
    for event, more in OF_MEMBERS:
        for name in (room, "no such room"):
            assert await refused_why(peer, event, {"room": name, **more}) == ("not_joined", None)


async def is_told_of_ban(peer: Peer, room: str) -> None:
    """Whatever is asked of an open room, the answer says that the user is banned from it."""
    joins: Asked = [("joinRoom", {}), ("joinRoom", {"password": "guess"})]
    for event, more in OF_MEMBERS + joins:
        assert await refused_why(peer, event, {"room": room, **more}) == ("forbidden", "banned")
    place = (await peer.request("resume", {"rooms": {room: 0}}))["rooms"][room]
    assert place == {**NOWHERE, "reason": "banned"}


def kinds(peer: Peer, room: str) -> list[str]:
    """The events of a room that came, without what its members do beside its log."""
    beside = {"notification", "typing", "passwordStatus", "messageHistory", "seen"}
    arrived = [frame["event"] for frame in peer.frames if frame.get("room") == room]
    return [event for event in arrived if event not in beside]


async def test_kick(cluster: Cluster, room: str, protocol: str) -> None:
    """Who is kicked hears it on every gateway and then nothing more; the others see it in order."""
    async with (
        connect(cluster, 1, "ann", protocol) as ann,
        connect(cluster, 1, "bob", protocol) as near,
        connect(cluster, 2, "bob", protocol) as far,
    ):
        await make(ann, room, "key")
        for bob in (near, far):
            reply = await bob.request("joinRoom", {"room": room, "password": "key"})
        said = await ann.request("message", {"room": room, "content": "one"})
        assert await ann.request("kick", {"room": room, "user": "bob"}) == {"known": True}
        await ann.request("message", {"room": room, "content": "two"})
        for bob in (near, far):
            told = (await bob.next("kicked", room=room))["data"]
            assert told == {"room": room, "seq": 2, "prev": 1, "user": "bob", "by": "ann"}
            await is_shut_out(bob, room)
            assert await refused(bob, "deleteMessage", said["id"]) == "not_found"
            grants = {"rooms": {room: 2}, "grants": {room: reply["grant"]}}
            assert (await bob.request("resume", grants))["rooms"] == {room: NOWHERE}
            knock = {"room": room, "grant": reply["grant"]}
            assert await refused(bob, "joinRoom", knock) == "forbidden"
            assert kinds(bob, room) == ["message", "kicked"]
        await ann.until(2, "message", room)
        assert kinds(ann, room) == ["message", "kicked", "message"]
        # Knocking again with the password is not forbidden, and what it opens stays open.
        again = await far.request("joinRoom", {"room": room, "password": "key"})
        grants = {"rooms": {room: again["head"]}, "grants": {room: again["grant"]}}
        assert (await near.request("resume", grants))["rooms"][room]["recovered"]
        await far.request("message", {"room": room, "content": "three"})
        assert [item["content"] for item in (await page(near, room))] == ["one", "two", "three"]


async def page(peer: Peer, room: str) -> list[dict[str, Any]]:
    """The newest page of a room's history."""
    items: list[dict[str, Any]] = (await peer.request("history", {"room": room}))["items"]
    return items


async def test_ban_and_moderators(cluster: Cluster, room: str) -> None:
    """A moderator bans a member and nobody above; the room is shut to who is banned until unban."""
    async with (
        Peer(cluster.gateway_url(1), "username=ann") as ann,
        Peer(cluster.gateway_url(2), "username=mia") as mia,
        Peer(cluster.gateway_url(2), "username=bob") as bob,
        Peer(cluster.gateway_url(1), "username=eve") as eve,
    ):
        await make(ann, room)
        for peer in (mia, bob):
            await peer.request("joinRoom", {"room": room})
        of = {"room": room, "user": "mia"}
        assert await refused(mia, "ban", {"room": room, "user": "bob"}) == "forbidden"
        await ann.request("setModerator", {**of, "moderator": True})
        named = (await bob.next("moderatorChanged", room=room))["data"]
        assert named == {**of, "seq": 1, "prev": 0, "by": "ann", "moderator": True}
        said = await ann.request("message", {"room": room, "content": "hi"})
        assert await refused(bob, "deleteMessage", said["id"]) == "forbidden"
        await mia.request("deleteMessage", said["id"])
        for event, user in (("kick", "ann"), ("ban", "ann"), ("kick", "mia"), ("unban", "bob")):
            assert await refused(mia, event, {"room": room, "user": user}) == "forbidden"
        assert await refused(mia, "setPassword", {"room": room}) == "forbidden"
        await mia.request("ban", {"room": room, "user": "bob"})
        await mia.request("ban", {"room": room, "user": "bob"})  # nothing is left to do
        banned = (await bob.next("banned", room=room))["data"]
        assert banned == {"room": room, "seq": 4, "prev": 3, "user": "bob", "by": "mia"}
        await is_told_of_ban(bob, room)
        await bob.emit("joinRoom", {"room": room})
        assert (await bob.next("passwordStatus"))["data"] is False
        await bob.notified("You are banned from this room", room=room)
        assert await refused_why(eve, "joinRoom", {"room": f"no {room}"}) == ("forbidden", None)
        again = {"room": room, "user": "bob", "moderator": True}
        assert await refused(ann, "setModerator", again) == "bad_request"
        await ann.request("unban", {"room": room, "user": "bob"})
        await bob.request("joinRoom", {"room": room})
        await ann.request("setModerator", {**of, "moderator": False})
        for peer in (ann, mia):
            await peer.until(2, "moderatorChanged", room)
        assert await refused(mia, "kick", {"room": room, "user": "bob"}) == "forbidden"
        assert kinds(ann, room)[-2:] == ["unbanned", "moderatorChanged"]


async def test_ban_is_told(cluster: Cluster, room: str, protocol: str) -> None:
    """Who is banned from an open room is told so by every gateway; of a locked one, nothing is."""
    async with (
        connect(cluster, 1, "ann", protocol) as ann,
        connect(cluster, 1, "bob", protocol) as near,
        connect(cluster, 2, "bob", protocol) as far,
        connect(cluster, 2, "cid", protocol) as cid,
    ):
        await make(ann, room)
        await ann.request("ban", {"room": room, "user": "bob"})  # who has never been in it
        for bob in (near, far):
            await is_told_of_ban(bob, room)
        said = await ann.request("message", {"room": room, "content": "hi"})
        assert await refused_why(far, "deleteMessage", said["id"]) == ("forbidden", "banned")
        assert await refused_why(cid, "history", {"room": room}) == ("not_joined", None)
        # With a password the room is one that others cannot know of.
        await ann.request("setPassword", {"room": room, "password": "key"})
        for bob in (near, far):
            await is_shut_out(bob, room)
            for keys in ({}, {"password": "wrong"}, {"password": "key"}):
                knock = {"room": room, **keys}
                assert await refused_why(bob, "joinRoom", knock) == ("forbidden", None)
            assert (await bob.request("resume", {"rooms": {room: 0}}))["rooms"] == {room: NOWHERE}
        await ann.request("setPassword", {"room": room, "password": ""})
        await ann.request("unban", {"room": room, "user": "bob"})
        for bob in (near, far):
            await bob.request("joinRoom", {"room": room})


async def test_role(cluster: Cluster, room: str) -> None:
    """Who joins is told whether they own the room or moderate it, on every gateway."""
    async with (
        Peer(cluster.gateway_url(1), "username=ann") as ann,
        Peer(cluster.gateway_url(2), "username=mia") as mia,
    ):
        await ann.request("createRoom", {"name": room})
        assert (await ann.request("joinRoom", {"room": room}))["role"] == "owner"
        assert "role" not in await mia.request("joinRoom", {"room": room})
        await ann.request("setModerator", {"room": room, "user": "mia", "moderator": True})
        await mia.next("moderatorChanged", room=room)
        assert (await mia.request("joinRoom", {"room": room}))["role"] == "moderator"


async def test_new_password(cluster: Cluster, room: str) -> None:
    """Who is inside stays; whoever comes needs the new password, whatever opened it before."""
    async with (
        Peer(cluster.gateway_url(1), "username=ann") as ann,
        Peer(cluster.gateway_url(2), "username=bob") as bob,
        Peer(cluster.gateway_url(2), "username=eve") as eve,
    ):
        await make(ann, room, "old")
        old = (await bob.request("joinRoom", {"room": room, "password": "old"}))["grant"]
        assert await refused(bob, "setPassword", {"room": room, "password": "x"}) == "forbidden"
        assert await ann.request("setPassword", {"room": room, "password": "new"}) == {}
        told = (await bob.next("passwordChanged", room=room))["data"]
        assert told == {"room": room, "seq": 1, "prev": 0, "by": "ann", "protected": True}
        await bob.request("message", {"room": room, "content": "still here"})
        refreshed = (await bob.request("joinRoom", {"room": room}))["grant"]
        await bob.request("leaveRoom", {"room": room})
        for grant in (old, refreshed):
            assert await refused(bob, "joinRoom", {"room": room, "grant": grant}) == "forbidden"
            asked = {"rooms": {room: 1}, "grants": {room: grant}}
            assert (await bob.request("resume", asked))["rooms"] == {room: NOWHERE}
        assert await refused(eve, "joinRoom", {"room": room, "password": "old"}) == "forbidden"
        new = (await bob.request("joinRoom", {"room": room, "password": "new"}))["grant"]
        await bob.request("leaveRoom", {"room": room})
        await bob.request("joinRoom", {"room": room, "grant": new})
        # Without a password it is open to all, and said to be so.
        await ann.request("setPassword", {"room": room, "password": ""})
        opened = (await bob.next("passwordChanged", room=room))["data"]
        assert opened["protected"] is False
        assert "grant" not in await eve.request("joinRoom", {"room": room})


async def test_who_was_away(cluster: Cluster, room: str) -> None:
    """A kick or a new password while one was away bites whoever comes back by an old session."""
    url = cluster.gateway_url
    async with Peer(url(1), "username=ann") as ann:
        await make(ann, room)
        for what, data in (("kick", {"user": "bob"}), ("setPassword", {"password": "new"})):
            async with SocketIOPeer(url(2), "username=bob") as bob:
                await bob.request("joinRoom", {"room": room})
                said = await ann.request("message", {"room": room, "content": what})
                await bob.until(1, "message", room)
                # Nothing happened: it is back where it was.
                bob.lose()
            shown = {"pid": bob.pid, "offset": bob.offset}
            async with SocketIOPeer(url(1), "username=bob", shown) as bob:
                assert bob.recovered
                await ann.request("message", {"room": room, "content": "again"})
                await bob.until(1, "message", room)
                bob.lose()
                await bob.socket.wait_closed()  # the gateway knows before it hears of the rest
            await ann.request(what, {"room": room, **data})
            shown = {"pid": bob.pid, "offset": bob.offset}
            async with SocketIOPeer(url(1), "username=bob", shown) as bob:
                assert not bob.recovered
                await is_shut_out(bob, room)
                # The same by a resume, of a room that was open when it was kicked.
                place = {"rooms": {room: said["seq"]}}
                assert (await bob.request("resume", place))["rooms"] == {room: NOWHERE}
                assert not kinds(bob, room)


@pytest.mark.parametrize("end", ["kicked", "chatDeleted"])
async def test_who_missed_the_end_of_a_place(cluster: Cluster, room: str, end: str) -> None:
    """Who was told of a kick or of a chat's end on a dead connection is not back as if of none."""
    async with Peer(cluster.gateway_url(1), "username=ann") as ann:
        await make(ann, room)
        for missed in (True, False):
            name = f"bob-{end}-{missed}"
            async with SocketIOPeer(cluster.gateway_url(2), f"username={name}") as bob:
                await bob.request("joinRoom", {"room": room})
                await bob.request("userOnline", {"userId": name})
                chat = await ann.request("createChat", {"user1Id": "ann", "user2Id": name})
                await ann.request("message", {"room": room, "content": "hello"})
                await bob.until(1, "message", room)
                before = bob.offset
                if end == "kicked":
                    await ann.request("kick", {"room": room, "user": name})
                else:
                    async with httpx.AsyncClient() as http:
                        await http.delete(f"{cluster.url}/chats/{chat['id']}")
                await bob.next(end)
                # With this its session is kept anew.
                await bob.request("createRoom", {"name": f"{room} {name}"})
                await bob.request("joinRoom", {"room": f"{room} {name}"})
                shown = {"pid": bob.pid, "offset": before if missed else bob.offset}
                query = f"username={name}"
                async with SocketIOPeer(cluster.gateway_url(1), query, shown) as again:
                    assert again.recovered is not missed


async def test_pubsub_is_cut(restless: Cluster, room: str) -> None:
    """Where pub/sub lost it a kick is found in the log, and holds."""
    broker: Any = redis.asyncio.Redis.from_url(restless.redis_url)
    async with (
        Peer(restless.gateway_url(1), "username=ann") as ann,
        Peer(restless.gateway_url(2), "username=bob") as bob,
        Peer(restless.gateway_url(2), "username=cid") as cid,
    ):
        await make(ann, room)
        for peer in (bob, cid):
            await peer.request("joinRoom", {"room": room})
        await broker.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await ann.request("kick", {"room": room, "user": "bob"})
        await broker.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await ann.request("message", {"room": room, "content": "after"})
        await bob.next("kicked", room=room)
        await cid.next("message", room=room)
        assert kinds(cid, room) == ["kicked", "message"]
        assert kinds(bob, room) == ["kicked"]
        await is_shut_out(bob, room)
    await broker.aclose()


async def test_it_lasts(restless: Cluster, room: str) -> None:
    """Bans, kicks, moderators and passwords hold after quiet, and after Redis came back empty."""
    broker: Any = redis.asyncio.Redis.from_url(restless.redis_url)
    async with Peer(restless.gateway_url(1), "username=ann") as ann:
        await make(ann, room, "old")
        async with Peer(restless.gateway_url(2), "username=bob") as bob:
            grant = (await bob.request("joinRoom", {"room": room, "password": "old"}))["grant"]
        for event, data in (
            ("setModerator", {"user": "mia", "moderator": True}),
            ("ban", {"user": "eve"}),
            ("kick", {"user": "bob"}),
            ("setPassword", {"password": "new"}),
            ("message", {"content": "last"}),
        ):
            await ann.request(event, {"room": room, **data})
    await eventually(lambda: messages(restless.database, room), bool)
    await holds(restless, room, grant)

    async def is_quiet() -> bool:
        return not [key async for key in broker.scan_iter(match=f"*room:r:{room}")]

    await waiting.eventually(is_quiet)
    await holds(restless, room, grant)
    epochs = "SELECT min(epoch) FROM partitions"
    [(before,)] = rows(restless.database, epochs)
    await broker.flushall()
    await eventually(lambda: rows(restless.database, epochs)[0][0], lambda now: now > before)
    await holds(restless, room, grant)
    await broker.aclose()


async def holds(cluster: Cluster, room: str, grant: str) -> None:
    """Eve is banned, bob's grant void, mia a moderator, and the password the new one."""
    entered = {"room": room, "password": "new"}
    async with (
        Peer(cluster.gateway_url(1), "username=eve") as eve,
        Peer(cluster.gateway_url(2), "username=bob") as bob,
        Peer(cluster.gateway_url(2), "username=mia") as mia,
    ):
        assert await refused_for_good(eve, "joinRoom", entered) == "forbidden"
        by_grant = {"room": room, "grant": grant}
        assert await refused_for_good(bob, "joinRoom", by_grant) == "forbidden"
        old = {"room": room, "password": "old"}
        assert await refused_for_good(mia, "joinRoom", old) == "forbidden"
        await mia.request("joinRoom", entered)
        assert [item["content"] for item in await page(mia, room)] == ["last"]
        assert await refused_for_good(mia, "kick", {"room": room, "user": "ann"}) == "forbidden"
        assert await refused_for_good(mia, "unban", {"room": room, "user": "eve"}) == "forbidden"


async def refused_for_good(peer: Peer, event: str, data: object) -> str:
    """The code with which something is refused once broker and database are there."""
    async with asyncio.timeout(waiting.HANGS_AFTER):
        while True:
            with pytest.raises(Refusal) as refusal:
                await peer.request(event, data)
            if not refusal.value.retryable:
                return refusal.value.code
            await asyncio.sleep(0.05)
