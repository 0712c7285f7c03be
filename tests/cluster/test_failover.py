"""Processes die; the conversation goes on, and nothing of it is lost or doubled."""

import asyncio
import re
import signal
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.stored import eventually, messages

GONE = (OSError, InvalidMessage, InvalidStatus, ConnectionClosed)
"""What connecting to, or talking through, a process that is gone comes to."""


@dataclass
class Talker:
    """Somebody who talks through whatever gateway there is, and sends again what got no answer."""

    url: str
    room: str
    name: str
    sent: dict[int, str] = field(default_factory=dict)
    reconnects: int = 0
    peer: Peer | None = None

    async def say(self, count: int) -> None:
        """Send so many messages, one after the other."""
        for n in range(len(self.sent), len(self.sent) + count):
            await self._one(f"{self.name} {n}")

    async def history(self) -> list[tuple[int, str]]:
        """The whole history, page after page: (seq, content)."""
        found: list[tuple[int, str]] = []
        while True:
            after = found[-1][0] if found else 0
            page = await self._ask("history", {"room": self.room, "after": after, "limit": 1000})
            if not page["items"]:
                return found
            found += [(item["seq"], item["content"]) for item in page["items"]]

    async def _one(self, text: str) -> None:
        data = {"room": self.room, "content": text, "clientMsgId": text}
        reply = await self._ask("message", data)
        assert reply["seq"] not in self.sent
        self.sent[reply["seq"]] = text

    async def _joined(self) -> Peer:
        """A connection in the room: one that was refused there would not be heard."""
        peer = await Peer(self.url, f"username={self.name}").__aenter__()
        try:
            await peer.request("joinRoom", {"room": self.room})
        except Refusal:
            await peer.__aexit__(None, None, None)
            raise
        return peer

    async def _ask(self, event: str, data: object) -> dict[str, Any]:
        while True:
            try:
                if self.peer is None:
                    self.peer = await self._joined()
                reply: dict[str, Any] = await self.peer.request(event, data)
            except Refusal as refusal:
                if not refusal.retryable:
                    raise
                await asyncio.sleep(0.05)
            except GONE:
                self.peer = None
                self.reconnects += 1
                await asyncio.sleep(0.05)
            else:
                return reply


@asynccontextmanager
async def talkers(cluster: Cluster, room: str, count: int) -> AsyncIterator[list[Talker]]:
    """So many talkers behind the load balancer, in a new room."""
    async with Peer(cluster.url) as maker:
        await maker.request("createRoom", {"name": room})
    people = [Talker(cluster.url, room, f"t{n}") for n in range(count)]
    yield people
    for person in people:
        if person.peer is not None:
            await person.peer.__aexit__(None, None, None)


def expected(people: list[Talker]) -> list[tuple[int, str]]:
    """What all of them sent, by the seq their replies gave."""
    return sorted((seq, text) for person in people for seq, text in person.sent.items())


async def sent(people: list[Talker], count: int) -> None:
    """Wait until more than so many messages were accepted in all."""
    await eventually(lambda: sum(len(p.sent) for p in people), lambda total: total > count)


async def stored_is(cluster: Cluster, room: str, wanted: list[tuple[int, str]]) -> None:
    """Wait until SQL has as many messages as wanted, and compare."""
    found = await eventually(
        lambda: messages(cluster.database, room), lambda rows: len(rows) >= len(wanted)
    )
    assert [(seq, content) for seq, _, content in found] == wanted


async def test_a_gateway_is_killed(sturdy: Cluster, room: str) -> None:
    """Kill -9 a gateway in mid-conversation: its clients find everything elsewhere, and go on."""
    async with talkers(sturdy, room, 8) as people:
        talking = asyncio.gather(*(person.say(300) for person in people))
        await sent(people, 500)
        killed = sturdy.kill("gateway-1")
        await talking
        assert sum(person.reconnects > 0 for person in people) >= 2
        wanted = expected(people)
        assert [seq for seq, _ in wanted] == list(range(1, 2401))
        for person in people:
            assert await person.history() == wanted
        await stored_is(sturdy, room, wanted)
        await sturdy.wait_restarted("gateway-1", killed)


async def test_the_persister_is_killed(sturdy: Cluster, room: str) -> None:
    """Kill -9 the persister again and again under load: each message is in SQL exactly once."""
    async with talkers(sturdy, room, 8) as people:
        talking = asyncio.gather(*(person.say(500) for person in people))
        for goal in (800, 1600, 2400):
            await sent(people, goal)
            await sturdy.wait_restarted("persister-1", sturdy.kill("persister-1"))
        await talking
        wanted = expected(people)
        assert len(wanted) == 4000
        await stored_is(sturdy, room, wanted)
        assert await people[0].history() == wanted


def shares(cluster: Cluster) -> dict[str, int]:
    """The number of partitions that each persister owns, by what they said of taking them."""
    owners: dict[int, str] = {}
    for line in cluster.lines:
        if match := re.search(r"^(persister-\d) .*partitions taken partitions=\[(.*)\]", line):
            owners.update(dict.fromkeys(map(int, match[2].split(",")), match[1]))
    return Counter(owners.values())


def may_write(cluster: Cluster) -> bool:
    """Whether nobody holds SQLite's lock for long."""
    with closing(sqlite3.connect(cluster.database, timeout=3)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
    return True


async def pause(cluster: Cluster, persister: str) -> None:
    """Stop a persister outside of a transaction: in one it keeps SQLite's lock, and all wait."""
    while True:
        cluster.kill(persister, signal.SIGSTOP)
        if await asyncio.to_thread(may_write, cluster):
            return
        cluster.kill(persister, signal.SIGCONT)


async def test_a_paused_persister_does_no_harm(room: str) -> None:
    """Pause one of two persisters past its lease and resume it: each message is in SQL once."""
    async with Cluster(persisters=2) as cluster, talkers(cluster, room, 4) as people:
        balanced = {"persister-1": 4, "persister-2": 4}.__eq__
        await eventually(lambda: shares(cluster), balanced)
        talking = asyncio.gather(*(person.say(1500) for person in people))
        await sent(people, 300)
        for paused, other in (("persister-1", "persister-2"), ("persister-2", "persister-1")):
            await pause(cluster, paused)
            await eventually(lambda: shares(cluster), {other: 8}.__eq__)
            cluster.kill(paused, signal.SIGCONT)
            await eventually(lambda: shares(cluster), balanced)
        await talking
        await stored_is(cluster, room, expected(people))


async def test_history_is_whole_while_the_persister_is_away(sturdy: Cluster, room: str) -> None:
    """With the persister stopped 10,000 messages are taken and shown; resumed, it catches up."""
    async with talkers(sturdy, room, 10) as people:
        await people[0].say(1)
        sturdy.kill("persister-1", signal.SIGSTOP)
        await asyncio.gather(*(person.say(1000) for person in people[1:]), people[0].say(999))
        wanted = expected(people)
        assert [seq for seq, _ in wanted] == list(range(1, 10_001))
        assert len(messages(sturdy.database, room)) < 100
        assert await people[0].history() == wanted
        sturdy.kill("persister-1", signal.SIGCONT)
        await stored_is(sturdy, room, wanted)
        assert await people[1].history() == wanted


@pytest.mark.parametrize("victim", ["redis", "haproxy"])
async def test_the_broker_or_the_balancer_is_killed(
    sturdy: Cluster, room: str, victim: str
) -> None:
    """Kill -9 Redis or the load balancer: it comes back, and nothing that was accepted is lost."""
    async with talkers(sturdy, room, 6) as people:
        talking = asyncio.gather(*(person.say(300) for person in people))
        await sent(people, 400)
        killed = sturdy.kill(victim)
        await sturdy.wait_restarted(victim, killed)
        await talking
        wanted = expected(people)
        assert len(wanted) == 1800
        await stored_is(sturdy, room, wanted)
        assert await people[0].history() == wanted
