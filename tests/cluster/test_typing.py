"""Who is typing: it ends for everyone, whatever happened to the one who typed."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from unittest.mock import ANY

from tests.support.cluster import Cluster
from tests.support.peer import Peer, Wire
from tests.support.protocols import connect
from tests.support.socketio_peer import SocketIOPeer


@asynccontextmanager
async def inside(room: str, *peers: Peer) -> AsyncIterator[None]:
    """Connected, and in the room."""
    async with AsyncExitStack() as stack:
        for peer in peers:
            await stack.enter_async_context(peer)
        await peers[0].request("createRoom", {"name": room})
        for peer in peers:
            await peer.request("joinRoom", {"room": room})
        yield


async def line(peer: Peer, text: str) -> Any:  # noqa: ANN401 - names, or ids in a chat
    """Wait until a client is shown a line; return all who type, which Socket.IO does not say."""
    while (frame := await peer.next("typing"))["data"] != text:
        pass
    if isinstance(peer, SocketIOPeer):
        return ANY
    users: list[object] = frame["users"]
    return users


async def types_until(peer: Peer, room: str, done: asyncio.Event) -> float:
    """Type again and again; return the longest time between two signs, in seconds."""
    longest, last = 0.0, time.monotonic()
    while not done.is_set():
        await peer.request("typing", {"room": room})
        now = time.monotonic()
        longest, last = max(longest, now - last), now
        await asyncio.sleep(0.5)
    return longest


async def test_a_killed_gateways_typist_stops(sturdy: Cluster, protocol: str, room: str) -> None:
    """Kill -9 the typist's gateway: 2.2 s after the last sign everyone is told that it is over."""
    ann = connect(sturdy, 2, "ann")
    bob = connect(sturdy, 1, "bob", protocol)
    async with inside(room, bob, ann):
        typed = time.monotonic()
        await ann.request("typing", {"room": room})
        assert await line(bob, "ann is typing...") == ["ann"]
        sturdy.kill("gateway-2")
        assert await line(bob, "") == []
        assert time.monotonic() - typed > 2.1
        # Before the gateway counts as dead, which it does after 6 s.
        assert "ann disconnected" not in [note["content"] for note in bob.all("notification")]


async def test_a_killed_gateways_typist_stops_in_a_chat(sturdy: Cluster, wire: Wire) -> None:
    """The same in a direct chat."""
    async with (
        Peer(sturdy.gateway_url(2), "username=71", wire) as ann,
        Peer(sturdy.gateway_url(1), "username=72", wire) as bob,
    ):
        for peer, user in ((ann, 71), (bob, 72)):
            await peer.request("userOnline", user)
        data = {"senderId": 71, "receiverId": 72, "content": "x"}
        chat = (await ann.request("sendMessage", data))["chatId"]
        await bob.next("newMessage")
        await ann.request("typing", {"chatId": chat})
        assert await line(bob, "71 is typing...") == [71]
        sturdy.kill("gateway-2")
        assert await line(bob, "") == []


async def test_one_who_stops_does_not_hide_another(
    cluster: Cluster, protocol: str, room: str
) -> None:
    """While ann types on, bob's end is no empty line; those who type are not told of themselves."""
    ann, bob = connect(cluster, 1, "ann"), connect(cluster, 2, "bob")
    carl = connect(cluster, 1, "carl", protocol)
    async with inside(room, carl, ann, bob):
        done = asyncio.Event()
        typing = asyncio.create_task(types_until(ann, room, done))
        assert await line(carl, "ann is typing...") == ["ann"]
        await bob.request("typing", {"room": room})
        assert await line(carl, "bob is typing...") == ["ann", "bob"]
        assert await line(ann, "bob is typing...") == ["bob"]
        assert await line(bob, "ann is typing...") == ["ann"]
        before = len(carl.all("typing", room))
        assert await line(ann, "") == []
        while await line(carl, "ann is typing...") == ["ann", "bob"] and type(carl) is Peer:
            pass
        shown = carl.all("typing", room)[before:]
        done.set()
        # Where this process stood still for the time of a sign, ann had stopped as well.
        assert await typing > 2 or "" not in shown
        assert await line(carl, "") == []
        assert await line(bob, "") == []


async def test_a_message_ends_typing(cluster: Cluster, protocol: str, room: str) -> None:
    """What was typed is said: nobody waits 2.2 s for the end, on any gateway."""
    ann = connect(cluster, 1, "ann")
    bob, carl = (connect(cluster, n, name, protocol) for n, name in ((2, "bob"), (1, "carl")))
    async with inside(room, bob, ann, carl):
        took: list[float] = []
        while len(took) < 3 and not any(each < 1.5 for each in took):  # this process may stall
            await ann.request("typing", {"room": room})
            for peer in (bob, carl):
                await line(peer, "ann is typing...")
            said = time.monotonic()
            await ann.request("message", {"room": room, "content": "hello"})
            for peer in (bob, carl):
                await peer.next("message")
                assert await line(peer, "") == []
            took.append(time.monotonic() - said)
        assert min(took) < 1.5
        await asyncio.sleep(2.5)  # the time in which its gateway would have ended it
        told = [frame["data"] for frame in carl.frames if frame["event"] == "typing"]
        assert told == ["ann is typing...", ""] * len(took)


async def test_a_recovered_client_is_told_that_it_is_over(sturdy: Cluster, room: str) -> None:
    """Kill -9 the gateway of typist and observer: who is recovered elsewhere sees the end."""
    url = sturdy.gateway_url(2)
    ann, bob = Peer(url, "username=ann"), SocketIOPeer(url, "username=bob")
    async with inside(room, bob, ann):
        await asyncio.sleep(1.5)  # so that the session is saved with its room
        await ann.request("typing", {"room": room})
        await line(bob, "ann is typing...")
        sturdy.kill("gateway-2")
        async with SocketIOPeer(
            sturdy.gateway_url(1), "username=bob", {"pid": bob.pid, "offset": bob.offset}
        ) as again:
            assert again.recovered
            assert await line(again, "") == []


async def test_many_typists_cost_a_bounded_part(cluster: Cluster, room: str) -> None:
    """Of 30 who type again and again an observer is told in few frames, which name 10 at most."""
    url = cluster.gateway_url(1)
    typists = [Peer(url, f"username=typist{n}") for n in range(30)]
    observer = Peer(cluster.gateway_url(2), "username=observer")
    async with inside(room, observer, *typists):
        begun = time.monotonic()
        for _ in range(4):
            await asyncio.gather(*(peer.request("typing", {"room": room}) for peer in typists))
        await line(observer, "")
        took = time.monotonic() - begun
        told = [frame["users"] for frame in observer.frames if frame["event"] == "typing"]
        assert max(map(len, told)) == 10
        assert len(told) <= 11 + 10 * took  # 10 at once, and 10 a second
