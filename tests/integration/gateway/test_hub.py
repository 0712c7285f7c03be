"""Local fan-out over a connection that lags and breaks: every event once, in order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from dataclasses import replace as replace_part
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.api.assembly import build_gateway
from gateway.api.backends import Backends
from gateway.api.handlers.resume import resume_place
from gateway.connections.flusher import Flusher
from gateway.rooms.hub import Hub
from gateway.rooms.local_room import LocalRoom
from gateway.rooms.store.replay import Replay, Replayed
from gateway.rooms.subscribing import subscribing
from shared import codec
from shared.broker.transport import subscriber
from shared.broker.transport.client import connect
from shared.broker.transport.pipe import Pipe
from shared.broker.transport.subscriber import Subscriber
from shared.errors import ChatError
from shared.model.database import DatabaseIdentity
from shared.model.rooms import Room
from shared.storage.chats import ChatReader
from shared.storage.installation import Installation
from tests.support.ear import Ear
from tests.support.proxy import Proxy
from tests.support.stage import Stage
from tests.support.waiting import HANGS_AFTER, eventually


class Member:
    """A connection in a room, and what it was sent."""

    def __init__(self, stage: Stage, hub: Hub, flusher: Flusher) -> None:
        self._ear = Ear(flusher)
        self.client = self._ear.client
        self.seen: list[str] = []
        self._stage = stage
        self._hub = hub

    async def join(self, room: Room) -> LocalRoom:
        """Enter as `joinRoom` does: gate, history, live."""
        async with subscribing(self._hub, self.client, room) as (local, _, _):
            page = await self._stage.history.newest(room, 100)
        self.seen += [item.content for item in page.items]
        self._hub.go_live(self.client, local, page.head)
        return local

    async def enter(self, room: Room) -> LocalRoom:
        """Enter a room whose history is still on the way: what happens there waits."""
        async with subscribing(self._hub, self.client, room) as (local, _, _):
            pass
        return local

    async def sees(self, *contents: str) -> None:
        """Wait until this is what it was shown, history and live, and nothing else."""
        async with asyncio.timeout(HANGS_AFTER):
            while len(self.seen) < len(contents):
                self.seen.append(str((await self._ear.receive())["data"]["content"]))
        assert self.seen == list(contents)

    async def receive(self) -> Any:  # noqa: ANN401 - a decoded frame
        """Wait for the next thing it is told."""
        return await self._ear.receive()

    async def receive_until(self, event: str) -> list[Any]:
        """Wait for an event; all it is told up to there."""
        frames = [await self.receive()]
        while frames[-1]["event"] != event:
            frames.append(await self.receive())
        return frames

    def leave(self, local: LocalRoom) -> None:
        """Leave."""
        self._hub.leave(self.client, local)


class Gateway:
    """A hub that reaches the broker through proxies, one for its channels, one for its reads.

    Attributes:
        followed: each channel as often as it was reported to be subscribed.
    """

    def __init__(self, stage: Stage, channels: Proxy, reads: Proxy) -> None:
        self.stage = stage
        self.channels = channels
        self.reads = reads
        self.client = connect(reads.url)
        self.pipe = Pipe(reads.url)
        self._closing = AsyncExitStack()
        installation = Installation("stage", stage.partitions, DatabaseIdentity())
        links = Backends(
            *(self.client, stage.server.pipe(), self.pipe, stage.reader),
            *(stage.keys, stage.fence, installation),
        )
        self.parts = build_gateway(stage.settings, links, self._closing)
        self.hub = self.parts.rooms.hub
        self.followed: list[str] = []
        self.subscriber = Subscriber(
            channels.url,
            lambda channel, data: self.hub.receive(channel, codec.decode(data)),
            self._subscribed,
        )
        self.hub.attach(self.subscriber)
        self.subscriber.start()

    async def close(self) -> None:
        """Stop."""
        await self.subscriber.close()
        await self._closing.aclose()
        self.pipe.close()
        await self.client.aclose()

    def member(self) -> Member:
        """Somebody with a connection to this gateway."""
        return Member(self.stage, self.hub, self.parts.clients.flusher)

    async def reported(self, channel: str, times: int) -> None:
        """Wait until a channel was reported so many times."""

        async def inspect() -> bool:
            return self.followed.count(channel) >= times

        await eventually(inspect)

    def _subscribed(self, channel: str) -> None:
        self.followed.append(channel)
        self.hub.subscribed(channel)


@pytest.fixture
async def gateway(stage: Stage) -> AsyncIterator[Gateway]:
    """A gateway with open partitions."""
    port = stage.server.port
    async with stage.storing(), Proxy(port) as channels, Proxy(port) as reads:
        made = Gateway(stage, channels, reads)
        yield made
        await made.close()


async def test_members_see_one_order(stage: Stage, gateway: Gateway) -> None:
    """Every member sees every message once, in the order of the room."""
    room = await stage.make()
    members = [gateway.member() for _ in range(5)]
    for member in members:
        await member.join(room)
    await asyncio.gather(*(stage.send(room, f"m{n}") for n in range(200)))
    for member in members:
        await member.sees(*(f"m{n}" for n in range(200)))


async def test_a_loss_is_told_before_what_comes_after_it(stage: Stage) -> None:
    """When the broker lost what members saw, they are told to resume before the next message."""
    port = stage.server.port
    async with Proxy(port) as channels, Proxy(port) as reads:
        made = Gateway(stage, channels, reads)
        member = made.member()
        async with stage.storing() as end:
            room = await stage.make()
            await member.join(room)
            await stage.send(room, "stored")
            await stage.all_stored(room, 1)
            await end()
            await stage.send(room, "lost")
            await member.sees("stored", "lost")
        await stage.server.flush()
        async with stage.storing():
            await stage.in_epoch(2)
            await stage.insist(room, "after")
            frames = [await member.receive(), await member.receive()]
        assert [frame["event"] for frame in frames] == ["resume_required", "message"]
        assert frames[0]["data"] == {"rooms": [room.name], "chats": []}
        await made.close()


@dataclass
class Lost:
    """A room whose broker lost that ann had seen all three messages.

    Attributes:
        member: was told so as soon as its channel brought it.
        waiting: likewise, if its resume had gone through.
    """

    made: Gateway
    room: Room
    local: LocalRoom
    member: Member
    waiting: Member

    async def in_new_epoch(self, stage: Stage) -> None:
        """Let the partition open anew, and the hub hear of it as from its watch."""
        await stage.in_epoch(2)
        self.made.hub.opened(stage.keys.number_of(self.room.key), 2)


@asynccontextmanager
async def mark_lost(stage: Stage, *, on_its_way: bool) -> AsyncIterator[Lost]:
    """Let a mark be lost; if it is `on_its_way`, the channel brings it later."""
    port = stage.server.port
    async with Proxy(port) as channels, Proxy(port) as reads, AsyncExitStack() as resuming:
        made = Gateway(stage, channels, reads)
        member, waiting = made.member(), made.member()
        async with stage.storing() as end:
            room = await stage.make()
            made.hub.opened(stage.keys.number_of(room.key), 1)
            for n in range(3):
                await stage.send(room, f"m{n}")
            await stage.all_stored(room, 3)
            local = await member.join(room)
            await waiting.join(room)
            await resuming.enter_async_context(
                subscribing(made.hub, waiting.client, room, resuming=True)
            )
            await end()
            if on_its_way:
                channels.hold()
            await stage.see(room, "ann", 3)
        if on_its_way:
            await channels.answered.wait()
        else:
            assert (await member.receive())["data"] == {"user": "ann", "seq": 3}
        await stage.server.flush()
        async with stage.storing():
            yield Lost(made, room, local, member, waiting)
        await made.close()


async def test_a_loss_is_told_before_a_mark_that_goes_back(stage: Stage) -> None:
    """When the broker lost how far somebody had seen, members hear of the loss before less."""
    async with mark_lost(stage, on_its_way=False) as lost:
        await stage.in_epoch(2)
        await stage.see(lost.room, "ann", 2)
        await stage.insist(lost.room, "last")
        frames = await lost.member.receive_until("message")
    assert [frame["event"] for frame in frames] == ["resume_required", "seen", "message"]
    assert frames[0]["data"] == {"rooms": [lost.room.name], "chats": []}
    assert frames[1]["data"] == {"user": "ann", "seq": 2}


async def test_a_mark_that_was_lost_on_its_way_is_not_told(stage: Stage) -> None:
    """A lost mark that comes after members were told of the loss does not reach them."""
    async with mark_lost(stage, on_its_way=True) as lost:
        await lost.in_new_epoch(stage)
        lost.made.channels.let_go()
        await stage.see(lost.room, "ann", 2)
        await stage.insist(lost.room, "last")
        frames = await lost.member.receive_until("message")
    assert [frame["event"] for frame in frames] == ["resume_required", "seen", "message"]
    assert frames[1]["data"] == {"user": "ann", "seq": 2}


async def test_a_mark_that_was_lost_while_it_waited_is_not_told(stage: Stage) -> None:
    """A lost mark that waits for a resume of somebody who was told of the loss is not told."""
    async with mark_lost(stage, on_its_way=False) as lost:
        await lost.in_new_epoch(stage)
        await stage.see(lost.room, "ann", 2)
        await stage.insist(lost.room, "last")
        await lost.member.receive_until("message")
        lost.made.hub.go_live(lost.waiting.client, lost.local, 3)
        frames = await lost.waiting.receive_until("message")
    assert [frame["event"] for frame in frames] == ["resume_required", "seen", "message"]
    assert frames[1]["data"] == {"user": "ann", "seq": 2}


async def test_a_loss_is_told_before_a_resume_that_goes_back(stage: Stage) -> None:
    """Who resumes before the gateway heard of a loss is told of it before less is said seen."""
    async with mark_lost(stage, on_its_way=False) as lost:
        await stage.in_epoch(2)
        lost.made.channels.hold()
        await stage.see(lost.room, "ann", 2)
        place = await resume_place(lost.made.parts, lost.member.client, lost.room, 3, ExitStack())
        frames = [await lost.member.receive(), await lost.member.receive()]
    assert place.recovered
    assert [frame["event"] for frame in frames] == ["resume_required", "seen"]
    assert frames[1]["data"] == {"user": "ann", "seq": 2}


class _LostMeanwhile(Replay):
    """Reads the log just before the broker loses all it held, and takes it for SQL."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.logs, stage.reader)
        self._server = stage.server

    async def after(self, room: Room, seq: int, limit: int | None = None) -> Replayed:
        page = await super().after(room, seq, limit)
        await self._server.flush()
        return replace(page, from_log=False)


async def test_a_resume_during_a_loss_is_refused(stage: Stage, gateway: Gateway) -> None:
    """Who resumes while the broker loses what it held is not told the less that SQL has."""
    room, member = await stage.make(), gateway.member()
    for n in range(3):
        await stage.send(room, f"m{n}")
    await stage.see(room, "ann", 1)
    reader = ChatReader(stage.reader)

    async def stored() -> bool:
        return await reader.cursors(room.id) == {"ann": 1}

    await eventually(stored)
    await member.join(room)
    async with stage.database.locked():
        await stage.see(room, "ann", 3)
        assert (await member.receive())["data"] == {"user": "ann", "seq": 3}
        rooms = replace_part(gateway.parts.rooms, replay=_LostMeanwhile(stage))
        parts = replace_part(gateway.parts, rooms=rooms)
        with pytest.raises(ChatError, match="broker") as refused:
            await resume_place(parts, member.client, room, 3, ExitStack())
        assert refused.value.retryable
        member.client.connection.emit("last", None)
        assert (await member.receive())["event"] == "last"


async def test_joining_under_load(stage: Stage, gateway: Gateway) -> None:
    """One who joins while messages come sees each once, whether by history or live."""
    room = await stage.make()
    first = gateway.member()
    await first.join(room)

    async def talk() -> None:
        for n in range(80):
            await stage.send(room, f"m{n}")

    talking = asyncio.create_task(talk())
    late = []
    for _ in range(20):
        member = gateway.member()
        await member.join(room)
        late.append(member)
        await asyncio.sleep(0.002)
    await talking
    for member in [first, *late]:
        await member.sees(*(f"m{n}" for n in range(80)))


async def test_joining_while_the_channel_lags(stage: Stage, gateway: Gateway) -> None:
    """One who joins before the channel brought what history already shows sees nothing twice."""
    room = await stage.make()
    first, second = gateway.member(), gateway.member()
    await first.join(room)
    gateway.channels.hold()
    await stage.send(room, "m1")
    await stage.send(room, "m2")
    await second.join(room)
    gateway.channels.let_go()
    await stage.send(room, "m3")
    await first.sees("m1", "m2", "m3")
    await second.sees("m1", "m2", "m3")


async def test_joining_while_the_connection_is_lost(stage: Stage, gateway: Gateway) -> None:
    """One who joins while the channel is down sees what was missed once, in history."""
    room = await stage.make()
    first, second = gateway.member(), gateway.member()
    await first.join(room)
    gateway.channels.hold()
    await stage.send(room, "m1")
    await second.join(room)
    gateway.channels.cut()
    gateway.channels.let_go()
    await first.sees("m1")
    await stage.send(room, "m2")
    await first.sees("m1", "m2")
    await second.sees("m1", "m2")


async def test_lost_pushes_are_read_from_the_log(stage: Stage, gateway: Gateway) -> None:
    """What was published while the connection was down comes from the log, without a new event."""
    room = await stage.make()
    member = gateway.member()
    await member.join(room)
    for round_ in range(3):
        gateway.channels.hold()
        for n in range(5):
            await stage.send(room, f"{round_}-{n}")
        gateway.channels.cut()
        gateway.channels.let_go()
        await member.sees(*(f"{r}-{n}" for r in range(round_ + 1) for n in range(5)))


async def test_lost_twice_while_it_is_repaired(stage: Stage, gateway: Gateway) -> None:
    """A second loss while the first is being repaired is repaired as well."""
    room = await stage.make()
    member = gateway.member()
    local = await member.join(room)
    await stage.server.admin.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    gateway.reads.hold()  # the log is read, and the answer waits
    await gateway.reported(local.channel, 2)
    await gateway.reads.answered.wait()
    gateway.channels.hold()
    await stage.send(room, "m1")
    gateway.channels.cut()
    gateway.channels.let_go()
    await gateway.reported(local.channel, 3)
    gateway.reads.let_go()
    await member.sees("m1")


async def test_new_epoch(stage: Stage, gateway: Gateway) -> None:
    """After the broker lost everything, members see what comes next, and once."""
    room = await stage.make()
    member = gateway.member()
    await member.join(room)
    await stage.send(room, "m1")
    await stage.all_stored(room, 1)
    await stage.server.flush()
    await stage.in_epoch(2)
    await stage.insist(room, "m2")
    await member.sees("m1", "m2")


async def test_restart_loses_no_accepted_event(stage: Stage, gateway: Gateway) -> None:
    """An event that was accepted and whose push a restart of the broker lost reaches members."""
    room = await stage.make()
    member = gateway.member()
    await member.join(room)
    await stage.send(room, "m1")
    await member.sees("m1")
    gateway.channels.hold()
    await stage.send(room, "m2")
    gateway.channels.cut()
    await stage.server.restart()
    gateway.channels.let_go()
    await stage.in_epoch(2)
    await stage.insist(room, "m3")
    await member.sees("m1", "m2", "m3")


async def test_last_to_leave_lets_the_channel_go(stage: Stage, gateway: Gateway) -> None:
    """When the last member left, the room is not followed; who comes again sees everything."""
    room = await stage.make()
    one, two = gateway.member(), gateway.member()
    local = await one.join(room)
    await two.join(room)
    one.leave(local)
    await stage.send(room, "m1")
    await two.sees("m1")
    two.leave(local)
    again = gateway.member()
    await again.join(room)
    await stage.send(room, "m2")
    await again.sees("m1", "m2")
    assert one.seen == []
    assert gateway.hub.rooms_of(two.client) == {}


async def test_leaving_and_coming_disturbs_nobody(
    stage: Stage, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leaving a room and coming back at once does not break what other rooms get."""
    monkeypatch.setattr(subscriber, "MAX_SILENCE_SECONDS", HANGS_AFTER)  # this process may stall
    room, other = await stage.make("general"), await stage.make("other")
    bystander, restless = gateway.member(), gateway.member()
    quiet = await bystander.join(other)
    local = await restless.join(room)
    for _ in range(5):
        restless.leave(local)
        local = await restless.enter(room)
    await stage.send(other, "m1")
    await bystander.sees("m1")
    assert gateway.followed.count(quiet.channel) == 1  # a second time would be a new connection
