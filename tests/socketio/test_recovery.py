"""A client that lost its connection comes back through any gateway without loss."""

import asyncio
import contextlib
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

import pytest
from websockets.exceptions import WebSocketException

from tests.socketio.clients import QUICK, TRANSPORTS, VERSIONS, Client, Node, Version
from tests.support.answers import until_ready
from tests.support.cluster import Cluster
from tests.support.peer import Peer
from tests.support.waiting import eventually

SLOW: Final[dict[str, Any]] = {
    "reconnectionDelay": 1000,
    "reconnectionDelayMax": 1000,
    "randomizationFactor": 0,
}
"""Options of clients that are away for a second."""

KILLS: Final = int(os.environ.get("KILLS", "17"))
"""How often gateways are killed under twelve clients: 17 times are 204 recoveries."""


async def back(client: Client) -> bool:
    """Wait until a client has lost its connection and is connected again: was it recovered?"""
    await client.next("disconnect", 60)
    recovered: bool = (await client.next("connect", 60))["recovered"]
    return recovered


async def joined(client: Client, room: str, **more: object) -> None:
    """Let a client join a room, and wait until it has."""
    assert (await client.ask("joinRoom", {"room": room, **more}))["room"] == room


def places(client: Client, room: str) -> list[int]:
    """The seqs of a room's messages as they came."""
    return [message["seq"] for message in client.all("message") if message["room"] == room]


class Talker:
    """Ann, who says something in each of some rooms again and again, whatever is killed.

    Attributes:
        sent: how many messages were accepted in each room.
    """

    def __init__(self, cluster: Cluster, rooms: Sequence[str]) -> None:
        self._cluster = cluster
        self._rooms = rooms
        self._ending = asyncio.Event()
        self._task = asyncio.create_task(self._talk())
        self.sent = 0

    async def end(self) -> None:
        """Say no more."""
        self._ending.set()
        await self._task

    async def _talk(self) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(OSError, AssertionError, TimeoutError, WebSocketException):
                async with Peer(self._cluster.url, "username=ann") as ann:
                    for room in self._rooms:
                        await ann.request("joinRoom", {"room": room})
                    while not self._ending.is_set():
                        # Asked again after a kill it is the same message.
                        said = {"content": str(self.sent), "clientMsgId": f"m{self.sent}"}
                        for room in self._rooms:
                            await ann.request("message", {"room": room, **said})
                        self.sent += 1
                        await asyncio.sleep(0.005)
            await asyncio.sleep(0.05)


async def kill(cluster: Cluster, gateway: str) -> Callable[[], Awaitable[object]]:
    """Kill a gateway; what waits until it is ready again."""
    killed = cluster.kill(gateway)

    async def restarted() -> None:
        await cluster.wait_restarted(gateway, killed, 60)
        await until_ready(cluster.gateway_url(int(gateway[-1])))

    return restarted


async def one_of_each(node: Node, cluster: Cluster) -> list[Client]:
    """A client of each version and way of connecting, on gateway 1."""
    return [
        await node.connect_to(
            "gateway-1", cluster.url, version=version, **QUICK, **options, auth={"username": "bob"}
        )
        for version in VERSIONS
        for options in TRANSPORTS.values()
    ]


@pytest.mark.timeout(60 + 20 * KILLS)
async def test_killed_again_and_again(node: Node) -> None:
    """Clients of every kind lose their gateway under traffic and are recovered each time.

    Who is in one room has each of its messages once and in order: the offset is exact for it.
    Who is in three lacks nothing either; what comes twice is the same message.
    """
    rooms = ("general", "two", "three")
    # So often killed, a gateway would be given up.
    env = {"WELL_AFTER": "0.1"}
    async with Cluster(env=env) as cluster, Peer(cluster.url, "username=ann") as first:
        for room in rooms:
            await first.request("createRoom", {"name": room})
        in_one, in_three = await one_of_each(node, cluster), await one_of_each(node, cluster)
        clients = [*in_one, *in_three]
        for client in clients:
            for room in rooms if client in in_three else rooms[:1]:
                await joined(client, room)
        talker = Talker(cluster, rooms)
        recoveries = 0
        for _ in range(KILLS):
            # One that took long to come back may be on the other gateway than most.
            [(victim, _)] = Counter(client.gateway for client in clients).most_common(1)
            its = [client for client in clients if client.gateway == victim]
            restarted = await kill(cluster, victim)
            assert all(await asyncio.gather(*map(back, its)))
            recoveries += len(its)
            for client in clients:
                await client.until(len(client.all("message")) + 3, "message")
            await restarted()
        await talker.end()
        whole = list(range(1, talker.sent + 1))
        twice = 0
        for client in clients:
            for room in rooms if client in in_three else rooms[:1]:
                await eventually(partial(_has, client, room, talker.sent), 60)
                assert list(dict.fromkeys(places(client, room))) == whole
            ids = {(m["room"], m["seq"]): m["id"] for m in client.all("message")}
            assert all(ids[m["room"], m["seq"]] == m["id"] for m in client.all("message"))
            twice += len(client.all("message")) - len(ids)
            client.disconnect()
        assert all(places(client, "general") == whole for client in in_one)
        print(
            f"{KILLS} kills, {recoveries} recoveries, {talker.sent} messages a room,"
            f" {twice} of {sum(len(client.all('message')) for client in clients)} came twice"
        )


async def _has(client: Client, room: str, seq: int) -> bool:
    return seq in places(client, room)


@pytest.fixture
async def ann(cluster: Cluster, room: str) -> AsyncIterator[Peer]:
    """Ann, a native client, in a room that she made."""
    async with Peer(cluster.url, "username=ann") as made:
        await made.request("createRoom", {"name": room})
        await made.request("joinRoom", {"room": room})
        yield made


async def say(peer: Peer, room: str, *contents: object) -> list[int]:
    """Say something in a room; the places of what was said."""
    said = [
        await peer.request("message", {"room": room, "content": str(text)}) for text in contents
    ]
    return [reply["seq"] for reply in said]


async def test_what_was_missed_in_every_room(
    node: Node, cluster: Cluster, version: Version, ann: Peer, room: str
) -> None:
    """Messages of all its rooms that a client missed come in order, and its rooms are live."""
    rooms = [room, f"{room} two", f"{room} three"]
    for other in rooms[1:]:
        await ann.request("createRoom", {"name": other})
        await ann.request("joinRoom", {"room": other})
    bob = await node.connect(cluster.url, version=version, **SLOW, query={"username": "bob"})
    for each in rooms:
        await joined(bob, each)
        await say(ann, each, "before")
    await bob.until(3, "message")
    bob.cut()
    await bob.next("disconnect")
    for n in range(20):
        for each in rooms:
            await say(ann, each, n)
    line = await bob.next("connect")
    assert line["recovered"]
    await bob.until(63, "message")
    for each in rooms:
        assert places(bob, each) == list(range(1, 22))
    await say(ann, rooms[2], "after")
    await bob.until(64, "message")
    assert (await bob.ask("message", {"room": room, "content": "still in"}))["seq"] == 22
    bob.disconnect()


async def test_a_client_that_got_nothing_yet(
    node: Node, cluster: Cluster, version: Version, ann: Peer, room: str
) -> None:
    """A client whose room was silent since it joined is recovered, with all that came since."""
    bob = await node.connect(cluster.url, version=version, **SLOW)
    await joined(bob, room)
    bob.cut()
    await bob.next("disconnect")
    await say(ann, room, "first")
    assert (await bob.next("connect"))["recovered"]
    assert (await bob.event("message"))[0]["content"] == "first"
    bob.disconnect()


async def test_who_it_was(node: Node, cluster: Cluster, ann: Peer, room: str) -> None:
    """It is the same user under the same id; an unnamed one too; nobody hears that it came."""
    bob = await node.connect(cluster.url, **SLOW, auth={"username": "bob"})
    other = await node.connect(cluster.url, **SLOW)
    ids = [client.was("connect")[0]["id"] for client in (bob, other)]
    for client in (bob, other):
        await joined(client, room)
        client.cut()
        assert await back(client)
    assert [client.was("connect")[-1]["id"] for client in (bob, other)] == ids
    await bob.ask("message", {"room": room, "content": "b"})
    await other.ask("message", {"room": room, "content": "o"})
    senders = [message["sender"] for message in await ann.until(2, "message", room)]
    assert senders == ["bob", f"User {ids[1]}"]
    assert (await bob.ask("setUsername", "carol"))["error"]["code"] == "forbidden"
    for client in (bob, other):
        client.disconnect()


async def test_a_protected_room_needs_no_password_again(
    node: Node, cluster: Cluster, room: str
) -> None:
    """The session is the proof that the client was let in."""
    bob = await node.connect(cluster.url, **SLOW, auth={"username": "bob"})
    await bob.ask("createRoom", {"name": room, "password": "sesame"})
    await joined(bob, room, password="sesame")
    await bob.ask("message", {"room": room, "content": "in"})
    bob.cut()
    assert await back(bob)
    assert (await bob.ask("message", {"room": room, "content": "still in"}))["seq"] == 2
    assert len(bob.all("passwordStatus")) == 1
    bob.disconnect()


async def test_direct_chats(node: Node, cluster: Cluster, version: Version) -> None:
    """Messages of chats come that a client missed: of a known chat, a quiet one, and a new one."""
    bob = await node.connect(cluster.url, version=version, **SLOW)
    users = [f"{name} {bob.was('connect')[0]['id']}" for name in ("bob", "ann", "eve")]
    me, known, new = users
    await bob.ask("userOnline", me)
    async with Peer(cluster.url) as ann:
        await ann.request("userOnline", known)
        await ann.request("sendMessage", chat(known, me, "before"))
        await bob.until(1, "newMessage")
        bob.cut()
        await bob.next("disconnect")
        for n in range(5):
            await ann.request("sendMessage", chat(known, me, n))
        async with Peer(cluster.url) as eve:
            await eve.request("userOnline", new)
            await eve.request("sendMessage", chat(new, me, "new"))
            line = await bob.next("connect")
            assert line["recovered"]
            await bob.until(7, "newMessage")
            await eve.request("sendMessage", chat(new, me, "live"))
        await bob.until(8, "newMessage")
        said = [(item["senderId"], item["content"]) for item in bob.all("newMessage")]
        expected = [(known, text) for text in ("before", *map(str, range(5)))]
        assert said[:6] == expected
        assert said[6:] == [(new, "new"), (new, "live")]
        assert [{item["user1Id"], item["user2Id"]} for item in bob.all("newChat")] == [
            {me, known},
            {me, new},
        ]
    bob.disconnect()


def chat(sender: str, receiver: str, content: object) -> dict[str, str]:
    """The data of a `sendMessage`."""
    return {"senderId": sender, "receiverId": receiver, "content": str(content)}


async def test_a_goodbye_is_final(node: Node, cluster: Cluster, ann: Peer, room: str) -> None:
    """A client that disconnects by itself leaves nothing behind: it begins anew."""
    bob = await node.connect(cluster.url, **SLOW)
    await joined(bob, room)
    await say(ann, room, "hello")
    await bob.event("message")
    bob.disconnect()
    await ann.notified(f"User {bob.was('connect')[0]['id']} disconnected")
    bob.reconnect()
    line = await bob.next("connect")
    assert not line["recovered"]
    assert line["pid"] != bob.was("connect")[0]["pid"]
    assert (await bob.ask("message", {"room": room, "content": "x"}))["error"]["code"] == (
        "not_joined"
    )
    bob.disconnect()


@pytest.mark.parametrize("unusable", ["garbage", "", 7, "AAAAAAAA.1.1", {"a": 1}])
async def test_an_unusable_offset(
    node: Node, cluster: Cluster, ann: Peer, room: str, unusable: object
) -> None:
    """A client that shows an offset that is none begins anew, and is told so."""
    bob = await node.connect(cluster.url, **SLOW)
    await joined(bob, room)
    bob.forge(offset=unusable)
    bob.cut()
    assert not await back(bob)
    assert bob.was("connect")[-1]["pid"] != bob.was("connect")[0]["pid"]
    await say(ann, room, "hello")
    await joined(bob, room)
    assert len((bob.all("messageHistory"))[-1]) == 1
    bob.disconnect()


async def test_an_offset_of_a_place_that_never_was(
    node: Node, cluster: Cluster, ann: Peer, room: str
) -> None:
    """A client that claims to have what the room never had begins anew rather than with a hole."""
    bob = await node.connect(cluster.url, **SLOW)
    await joined(bob, room)
    await say(ann, room, "hello")
    offset = (await bob.event("message"))[-1]
    incarnation, count, place, seq = offset.split(".")
    bob.forge(offset=f"{incarnation}.{count}.{place}.{int(seq) + 5}")
    bob.cut()
    assert not await back(bob)
    bob.disconnect()


async def test_a_session_expires(node: Node) -> None:
    """A client that comes back too late begins anew."""
    async with Cluster(env={"RECOVERY_SECONDS": "1"}) as cluster:
        bob = await node.connect(
            cluster.url, reconnectionDelay=3000, reconnectionDelayMax=3000, randomizationFactor=0
        )
        await bob.ask("createRoom", {"name": "general"})
        await joined(bob, "general")
        bob.cut()
        assert not await back(bob)
        bob.disconnect()


async def test_the_last_to_come_has_the_session(
    node: Node, cluster: Cluster, ann: Peer, room: str
) -> None:
    """A client that comes back before its old connection is found dead ends that one, quietly."""
    for gateway in ("gateway-1", "gateway-2"):
        bob = await node.connect_to("gateway-1", cluster.url, reconnection=False)
        await joined(bob, room)
        bob.emit("typing", {"room": room})
        pid = bob.was("connect")[0]["pid"]
        again = await node.connect_to(gateway, cluster.url, reconnection=False)
        again.forge(pid=pid)
        again.cut()
        await again.next("disconnect")
        again.reconnect()
        assert (await again.next("connect"))["recovered"]
        await bob.next("disconnect")
        [place] = await say(ann, room, gateway)
        assert (await again.event("message"))[0]["seq"] == place
        left = f"User {bob.was('connect')[0]['id']} disconnected"
        assert left not in str(ann.all("notification"))
        again.disconnect()


async def test_without_recovery(
    node: Node, cluster: Cluster, version: Version, ann: Peer, room: str
) -> None:
    """With `?recovery=0` there is no pid, and an event has its payload as its only argument."""
    bob = await node.connect(cluster.url, version=version, query={"recovery": "0"}, **SLOW)
    assert bob.was("connect")[0]["pid"] is None
    await joined(bob, room)
    await say(ann, room, "hello")
    await ann.emit("typing", {"room": room})
    await ann.request("deleteMessages", {"room": room})
    await bob.event("deleteMessages")
    received = [line for line in bob.lines if line["what"] == "event"]
    assert all(len(line["args"]) == 1 for line in received)
    bob.cut()
    assert not await back(bob)
    bob.disconnect()


async def test_a_leaving_gateway(node: Node, version: Version) -> None:
    """A gateway that is told to stop says `reconnect`; its clients go on elsewhere, recovered."""
    async with (
        Cluster(env={"DRAIN_SECONDS": "2"}) as cluster,
        Peer(cluster.gateway_url(2), "username=ann") as ann,
    ):
        await ann.request("createRoom", {"name": "general"})
        await ann.request("joinRoom", {"room": "general"})
        clients = [
            await node.connect_to(
                "gateway-1",
                cluster.url,
                version=version,
                **QUICK,
                **options,
                query={"username": "bob"},
            )
            for options in TRANSPORTS.values()
        ]
        for client in clients:
            await joined(client, "general")
        await say(ann, "general", "here")
        await ann.until(1, "message", "general")
        received = len(ann.all("notification"))
        cluster.kill("gateway-1", signal.SIGTERM)
        sent = 1
        while not all(client.was("disconnect") for client in clients):
            await say(ann, "general", sent)
            sent += 1
            await asyncio.sleep(0.01)
        for client in clients:
            assert "afterMs" in (await client.event("reconnect"))[0]
            assert await back(client)
            await client.until(sent, "message")
            assert places(client, "general") == list(range(1, sent + 1))
        assert "bob" not in str(ann.all("notification")[received:])
        for client in clients:
            client.disconnect()


async def test_events_lost_under_way(
    node: Node, cluster: Cluster, version: Version, ann: Peer, room: str
) -> None:
    """A client that was sent more than it got is shown all of it again, in every room."""
    other = f"{room} other"
    await ann.request("createRoom", {"name": other})
    await ann.request("joinRoom", {"room": other})
    bob = await node.connect(cluster.url, version=version, **SLOW)
    for each in (room, other):
        await joined(bob, each)
    await say(ann, room, "1")
    offset = (await bob.event("message"))[-1]
    more = [str(n) for n in range(110)]  # more than joining shows
    for n in ("2", "3"):
        await say(ann, room, n)
    await say(ann, other, *more)
    await bob.until(113, "message")
    # As if nothing had arrived behind the first message.
    bob.forge(offset=offset)
    before = len(bob.lines)
    bob.cut()
    assert await back(bob)
    # Of the other room it may not even know that it is in it: it is shown as it was when it came,
    # then all that was said since.
    assert (await bob.event("messageHistory"))[0] == []
    await say(ann, other, "4")
    await bob.until(226, "message")
    again = [line["args"][0] for line in bob.lines[before:] if line.get("event") == "message"]
    assert [(message["room"], message["content"]) for message in again] == [
        (room, "2"),
        (room, "3"),
        *((other, n) for n in [*more, "4"]),
    ]
    bob.disconnect()
