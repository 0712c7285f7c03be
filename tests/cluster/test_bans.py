"""What owners and moderators learn of the users that they act on, and the users of a ban's end."""

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
import pytest_asyncio
import redis.asyncio

from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.protocols import connect
from tests.support.socketio_peer import SocketIOPeer
from tests.support.stored import eventually, messages
from tests.support.tokens import JWT, token

_numbers = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def proven() -> AsyncIterator[Cluster]:
    """A cluster whose users have tokens."""
    async with Cluster(env=JWT) as running:
        yield running


@pytest.fixture
def name() -> str:
    """The name of a user that no other test uses."""
    return f"bans-user-{next(_numbers)}"


async def make(owner: Peer, room: str, password: str = "") -> None:
    """Let a user make a room and enter it."""
    await owner.request("createRoom", {"name": room, "password": password})
    await owner.request("joinRoom", {"room": room, "password": password})


async def test_a_name_that_nobody_has(
    cluster: Cluster, room: str, name: str, protocol: str
) -> None:
    """Whatever is done to a name that was never seen is done, and the answer says so."""
    async with connect(cluster, 1, "ann", protocol) as ann:
        await make(ann, room)
        for event, more in (
            ("kick", {}),
            ("setModerator", {"moderator": True}),
            ("setModerator", {"moderator": True}),
            ("setModerator", {"moderator": False}),
            ("ban", {}),
            ("ban", {}),
        ):
            asked = {"room": room, "user": name, **more}
            assert await ann.request(event, asked) == {"known": False}, event
        async with connect(cluster, 2, name, protocol) as bob:
            with pytest.raises(Refusal) as refusal:
                await bob.request("joinRoom", {"room": room})
            assert refusal.value.reason == "banned"
        # Who was here is known from then on, also when they are gone.
        for event in ("unban", "kick", "ban"):
            assert await ann.request(event, {"room": room, "user": name}) == {"known": True}


async def test_known_wherever_they_are(cluster: Cluster, room: str, name: str) -> None:
    """A user is known who is in the room on another gateway, or online, or only connected."""
    async with connect(cluster, 1, "ann") as ann, connect(cluster, 2, name) as bob:
        await make(ann, room)
        kick = {"room": room, "user": name}
        await bob.request("joinRoom", {"room": room})
        assert await ann.request("kick", kick) == {"known": True}
        await bob.request("userOnline", {"userId": name})
        assert await ann.request("kick", kick) == {"known": True}


async def test_known_by_what_is_stored(cluster: Cluster, room: str, name: str) -> None:
    """A user who wrote is known by that, when those who connected are forgotten."""
    broker: Any = redis.asyncio.Redis.from_url(cluster.redis_url)
    async with connect(cluster, 1, "ann") as ann:
        await make(ann, room)
        async with connect(cluster, 2, name) as bob, connect(cluster, 2, f"{name}-silent"):
            await bob.request("joinRoom", {"room": room})
            await bob.request("message", {"room": room, "content": "I was here"})
        await eventually(lambda: messages(cluster.database, room), bool)
        async for key in broker.scan_iter(match="*:connected"):
            await broker.delete(key)
        for user, known in ((name, True), (f"{name}-silent", False)):
            assert await ann.request("ban", {"room": room, "user": user}) == {"known": known}
    await broker.aclose()


async def test_a_client_without_a_name_owns_nothing(cluster: Cluster, room: str) -> None:
    """A room that a client without a name made has no owner, not that client either."""
    async with (
        SocketIOPeer(cluster.gateway_url(1)) as nameless,
        connect(cluster, 2, "ann") as ann,
    ):
        await nameless.request("createRoom", {"name": room})
        for peer, user in ((nameless, "ann"), (ann, "bob")):
            assert "role" not in await peer.request("joinRoom", {"room": room})
            for event in ("kick", "ban", "getStandings"):
                with pytest.raises(Refusal) as refusal:
                    await peer.request(event, {"room": room, "user": user})
                assert refusal.value.code == "forbidden"


async def test_by_a_token(proven: Cluster, room: str, name: str) -> None:
    """A user who has signed in with a token is known; the name of one who never did is not."""
    async with Peer(proven.gateway_url(1), token=token("ann")) as ann:
        await make(ann, room)
        assert await ann.request("ban", {"room": room, "user": name}) == {"known": False}
        async with Peer(proven.gateway_url(2), token=token(name)) as bob:
            await bob.request("getRooms")
            assert await ann.request("ban", {"room": room, "user": name}) == {"known": True}


async def test_lists(cluster: Cluster, room: str, protocol: str) -> None:
    """Owner and moderators read who is banned and who moderates, page by page, as it is now."""
    async with (
        connect(cluster, 1, "ann", protocol) as ann,
        connect(cluster, 2, "mia", protocol) as mia,
        connect(cluster, 2, "eve", protocol) as eve,
    ):
        await make(ann, room)
        for peer in (mia, eve):
            await peer.request("joinRoom", {"room": room})
        assert await ann.request("getStandings", {"room": room}) == {"users": [], "more": False}
        for user in ("zoe", 12, "bob", "dan"):
            await ann.request("ban", {"room": room, "user": user})
        await ann.request("setModerator", {"room": room, "user": "mia", "moderator": True})
        banned = {"room": room, "standing": "banned"}
        for peer in (ann, mia):
            page = await peer.request("getStandings", {**banned, "limit": 3})
            assert page == {"users": [12, "bob", "dan"], "more": True}
            rest = await peer.request("getStandings", {**banned, "limit": 3, "after": "dan"})
            assert rest == {"users": ["zoe"], "more": False}
            after = await peer.request("getStandings", {**banned, "after": 12})
            assert after["users"] == ["bob", "dan", "zoe"]
            moderators = await peer.request("getStandings", {"room": room, "standing": "moderator"})
            assert moderators == {"users": ["mia"], "more": False}
        with pytest.raises(Refusal) as refusal:
            await eve.request("getStandings", banned)
        assert refusal.value.code == "forbidden"
        with pytest.raises(Refusal) as refusal:
            await ann.request("getStandings", {"room": room, "standing": "kicked"})
        assert refusal.value.code == "bad_request"
        await ann.request("unban", {"room": room, "user": "bob"})
        assert (await ann.request("getStandings", banned))["users"] == [12, "dan", "zoe"]


async def test_the_end_of_a_ban(cluster: Cluster, room: str, name: str, protocol: str) -> None:
    """Who is unbanned is told on every gateway, and may join at once; of locked rooms nobody is."""
    async with (
        connect(cluster, 1, "ann", protocol) as ann,
        connect(cluster, 1, name, protocol) as near,
        connect(cluster, 2, name, protocol) as far,
        connect(cluster, 2, f"{name}-too", protocol) as other,
    ):
        await make(ann, room)
        await make(ann, f"{room} locked", "key")
        for each in (room, f"{room} locked"):
            await ann.request("ban", {"room": each, "user": name})
        for each in (f"{room} locked", room):
            await ann.request("unban", {"room": each, "user": name})
        for bob in (near, far):
            assert (await bob.next("banLifted"))["data"] == {"room": room}
            await bob.request("joinRoom", {"room": room})
            assert len(bob.all("banLifted")) == 1
        await other.request("getRooms")
        assert not other.all("banLifted") + ann.all("banLifted")
