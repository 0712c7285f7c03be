"""Others are told once that a user has come, and once that they have gone, whatever they used."""

import asyncio
import signal
import time

import pytest

from tests.support.cluster import Cluster
from tests.support.peer import Peer
from tests.support.protocols import connect
from tests.support.wholeness import until_whole


def told(peer: Peer, *names: str) -> list[str]:
    """What a client was told of these users, beside its own notices."""
    notes = [note["content"] for note in peer.all("notification")]
    return [note for note in notes if any(note.startswith(f"{name} ") for name in names)]


@pytest.mark.parametrize("second", [1, 2], ids=["one gateway", "two gateways"])
async def test_closing_one_of_two_tabs_is_not_told(
    cluster: Cluster, protocol: str, second: int, room: str
) -> None:
    """A user who closes one of two connections is still there; with the last they are gone."""
    who = room.replace(" ", "-")
    urls = [cluster.gateway_url(1), cluster.gateway_url(second)]
    async with connect(cluster, 2, "observer", protocol) as observer:
        first, other = (Peer(url, f"username={who}") for url in urls)
        async with first:
            await observer.notified(f"{who} connected")
            async with other:
                await other.notified(f"{who} connected")
        await observer.notified(f"{who} disconnected")
        async with Peer(urls[1], f"username={who}"):
            await observer.notified(f"{who} connected")
        notes = [f"{who} connected", f"{who} disconnected", f"{who} connected"]
        assert told(observer, who)[:3] == notes


@pytest.mark.parametrize("second", [1, 2], ids=["one gateway", "two gateways"])
async def test_leaving_in_one_of_two_tabs_is_not_told(
    cluster: Cluster, protocol: str, second: int, room: str
) -> None:
    """A user who leaves a room in one of two connections is still in it; the last one is told."""
    who = room.replace(" ", "-")
    urls = [cluster.gateway_url(1), cluster.gateway_url(second)]
    async with (
        connect(cluster, 2, "observer", protocol) as observer,
        Peer(urls[0], f"username={who}") as first,
        Peer(urls[1], f"username={who}") as other,
    ):
        await observer.request("createRoom", {"name": room})
        for peer in (observer, first, other):
            await peer.request("joinRoom", {"room": room})
        await first.request("leaveRoom", room)
        await other.request("message", {"room": room, "content": "still here"})
        await observer.next("message", room=room)
        await other.request("leaveRoom", {"room": room})
        await observer.notified(f"{who} has left the room", room=room)
        notes = [note for note in told(observer, who) if "room" in note.removeprefix(who)]
        assert notes == [f"{who} has joined the room", f"{who} has left the room"]


async def test_the_users_of_a_killed_gateway_are_gone_once(protocol: str) -> None:
    """Kill -9 a gateway: each of its users who is nowhere else is told once, by one of the rest."""
    async with Cluster(gateways=3) as cluster:
        one, two, three = (cluster.gateway_url(number) for number in (1, 2, 3))
        observers = [connect(cluster, 1, "ann", protocol), connect(cluster, 3, "dora", protocol)]
        async with (
            observers[0],
            observers[1],
            Peer(two, "username=bob"),
            Peer(two, "username=carl"),
            Peer(two, "username=eve"),
            Peer(two, "welcome=1") as nameless,
            Peer(three, "username=carl"),
        ):
            sid = (await nameless.next("welcome"))["data"]["sid"]
            await observers[0].notified(f"User {sid} connected")
            await asyncio.sleep(6.5)  # until the gateways have heard each other for long enough
            killed = time.monotonic()
            cluster.kill("gateway-2")
            async with Peer(one, "username=eve"):
                for observer in observers:
                    await observer.notified("bob disconnected")
                assert time.monotonic() - killed < 15
                await asyncio.sleep(3)  # in which other gateways could tell it again
                gone = sorted(["bob disconnected", f"User {sid} disconnected"])
                for observer in observers:
                    notes = told(observer, "bob", "carl", "eve", "User")
                    assert sorted(note for note in notes if "disconnected" in note) == gone


async def test_a_paused_gateways_users_come_back(sturdy: Cluster, protocol: str) -> None:
    """A gateway that was paused for long, and goes on: its users are connected again."""
    async with (
        connect(sturdy, 1, "ann", protocol) as ann,
        Peer(sturdy.gateway_url(2), "username=bob"),
    ):
        await ann.notified("bob connected")
        await asyncio.sleep(7)
        sturdy.kill("gateway-2", signal.SIGSTOP)
        try:
            await ann.notified("bob disconnected")
        finally:
            sturdy.kill("gateway-2", signal.SIGCONT)
        await ann.notified("bob connected")
    assert told(ann, "bob")[:3] == ["bob connected", "bob disconnected", "bob connected"]


async def test_in_a_large_cluster_the_rooms_of_a_killed_gateways_users_are_told() -> None:
    """Above BROADCAST_LIMIT those who shared a room with the user are told, and no others."""
    async with (
        Cluster(env={"BROADCAST_LIMIT": "1"}) as cluster,
        Peer(cluster.gateway_url(1), "username=ann") as ann,
        Peer(cluster.gateway_url(1), "username=carl") as carl,
        Peer(cluster.gateway_url(2), "username=bob") as bob,
    ):
        await ann.request("createRoom", {"name": "den"})
        for peer in (ann, bob):
            await peer.request("joinRoom", {"room": "den"})
        await ann.notified("bob has joined the room")
        await asyncio.sleep(7)
        cluster.kill("gateway-2")
        await ann.notified("bob disconnected", room="den")
        assert "bob disconnected" not in told(carl, "bob")


async def test_who_does_not_come_back_after_a_drain_is_gone(sturdy: Cluster) -> None:
    """A stopped gateway's users are told as gone if they connect nowhere else, and else not."""
    async with Peer(sturdy.gateway_url(1), "username=ann") as ann:
        bob = Peer(sturdy.gateway_url(2), "username=bob")
        carl = Peer(sturdy.gateway_url(2), "username=carl")
        async with bob, carl:
            await ann.notified("bob connected")
            await asyncio.sleep(7)
            sturdy.kill("gateway-2", signal.SIGTERM)
            await carl.next("reconnect")
            async with Peer(sturdy.gateway_url(1), "username=carl"):
                await ann.notified("bob disconnected")
                await asyncio.sleep(1)
                assert told(ann, "carl") == ["carl connected"]


async def test_a_broker_that_is_away_makes_nobody_leave(sturdy: Cluster) -> None:
    """Redis stands still for 9 s: nobody has disconnected or gone offline, and the count holds."""
    async with (
        Peer(sturdy.gateway_url(1), "username=81") as ann,
        Peer(sturdy.gateway_url(2), "username=82") as bob,
    ):
        for peer, user in ((ann, 81), (bob, 82)):
            await peer.request("userOnline", user)
        while (await ann.next("onlineUsers"))["data"] != [81, 82]:
            pass
        before = len(ann.all("onlineUsers"))
        sturdy.kill("redis", signal.SIGSTOP)
        try:
            await asyncio.sleep(9)
        finally:
            sturdy.kill("redis", signal.SIGCONT)
        await until_whole(sturdy)
        async with Peer(sturdy.gateway_url(2), "username=83"):
            await ann.notified("83 connected")
        await ann.notified("83 disconnected")
        assert "82 disconnected" not in told(ann, "82")
        assert ann.all("onlineUsers")[before:] in ([], [[81, 82]])
        await bob.socket.close()
        await ann.notified("82 disconnected")
