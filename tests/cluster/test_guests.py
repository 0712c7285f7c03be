"""Guests, with AUTH_MODE=jwt and GUESTS=on."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.socketio import socketio
from tests.support.tokens import JWT, token


@pytest_asyncio.fixture(scope="module")
async def welcoming() -> AsyncIterator[Cluster]:
    """Two gateways that let guests in."""
    async with Cluster(env={**JWT, "GUESTS": "on"}) as running:
        yield running


async def test_first_frame(welcoming: Cluster) -> None:
    """Whoever begins with another frame than `authenticate` is a guest, and stays that one."""
    async with (
        Peer(welcoming.gateway_url(1), "welcome=1") as one,
        Peer(welcoming.gateway_url(2), "welcome=1") as other,
    ):
        with pytest.raises(Refusal) as refusal:
            await one.request("setUsername", "ann")
        assert refusal.value.code == "forbidden"
        with pytest.raises(Refusal) as refusal:
            await one.request("authenticate", token("ann"))
        assert refusal.value.code == "forbidden"
        await other.request("getRooms")
        names = [(await peer.next("welcome"))["data"]["user"] for peer in (one, other)]
        assert all(name.startswith("guest-") for name in names)
        assert names[0] != names[1]
        await one.request("sendMessage", {"senderId": names[0], "receiverId": 1, "content": "hi"})


async def test_silence(welcoming: Cluster) -> None:
    """Whoever says nothing is a guest after a while; with a token one is whom it names."""
    async with (
        Peer(welcoming.url, "welcome=1") as silent,
        Peer(welcoming.url, "username=ann") as pretender,
        Peer(welcoming.url, "welcome=1") as ann,  # the last: she has to say something soon
    ):
        assert (await ann.request("authenticate", token("ann")))["user"] == "ann"
        assert (await silent.next("welcome"))["data"]["user"].startswith("guest-")
        assert (await pretender.next("error"))["data"]["code"] == "forbidden"
        assert await pretender.closed() == 4403


async def test_socketio(welcoming: Cluster) -> None:
    """A Socket.IO client without a token is a guest, again the same one when it is recovered."""
    async with socketio(welcoming.gateway_url(1)) as client:
        _, first = await client.connect({"welcome": 1})
        name = (await client.event("welcome"))["user"]
        assert name.startswith("guest-")
    async with socketio(welcoming.gateway_url(2)) as client:
        _, again = await client.connect({"welcome": 1, "pid": first["pid"]})
        assert again == first
        assert (await client.event("welcome"))["user"] == name


async def test_sessions_of_users(welcoming: Cluster) -> None:
    """A guest who knows the secret of a user's session is not that user, nor the other way."""
    for owner, thief in (({"token": token("ann")}, {}), ({}, {"token": token("ann")})):
        async with socketio(welcoming.gateway_url(1)) as client:
            _, owned = await client.connect(owner)
        async with socketio(welcoming.gateway_url(2)) as client:
            _, other = await client.connect({**thief, "pid": owned["pid"]})
            assert owned.keys() == other.keys()
            assert not set(owned.values()) & set(other.values())


async def test_rest(welcoming: Cluster) -> None:
    """Guests have no REST, and no tickets."""
    async with httpx.AsyncClient(base_url=welcoming.url) as http:
        assert (await http.get("/chats/1")).status_code == 401
        assert (await http.post("/tickets")).status_code == 401


async def test_guests_own_nothing(welcoming: Cluster) -> None:
    """A guest can make a room, which nobody owns: not the guest, nor whoever comes later."""
    async with (
        Peer(welcoming.gateway_url(1), "welcome=1") as guest,
        Peer(welcoming.gateway_url(2), token=token("ann")) as ann,
    ):
        await guest.request("createRoom", {"name": "general"})
        joined = [await peer.request("joinRoom", {"room": "general"}) for peer in (guest, ann)]
        assert all("role" not in reply for reply in joined)
        name = (await guest.next("welcome"))["data"]["user"]
        for peer, user in ((guest, "ann"), (ann, name)):
            for event, more in (
                ("kick", {"user": user}),
                ("ban", {"user": user}),
                ("unban", {"user": user}),
                ("setModerator", {"user": user, "moderator": True}),
                ("setPassword", {"password": "mine"}),
                ("deleteMessages", {}),
            ):
                with pytest.raises(Refusal) as refusal:
                    await peer.request(event, {"room": "general", **more})
                assert refusal.value.code == "forbidden"
        # Messages go on, and their senders may delete them.
        said = await guest.request("message", {"room": "general", "content": "hi"})
        await ann.next("message", room="general")
        await guest.request("deleteMessage", said["id"])
