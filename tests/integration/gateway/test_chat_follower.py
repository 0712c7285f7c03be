"""Following direct chats: nothing that is said to somebody who is here stays unheard."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from gateway.connections.flusher import Flusher
from gateway.rooms.chat_follower import ChatFollower
from gateway.rooms.hub import Hub
from gateway.rooms.store.replay import Replay
from gateway.rooms.subscribing import subscribing
from shared import codec
from shared.broker.partitions.reading import PartitionReader
from shared.broker.rooms.publisher import Publisher
from shared.broker.rooms.wakes import WakeLog
from shared.broker.transport.subscriber import Subscriber
from shared.model.events import Event, Wake
from shared.model.log_events import MessagePosted
from tests.support.ear import Ear
from tests.support.proxy import Proxy
from tests.support.stage import Stage
from tests.support.waiting import HANGS_AFTER, eventually


class User:
    """Somebody with a connection that hears of their chats, and what it was told."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._ear = Ear(Flusher())
        self.client = self._ear.client
        self.client.bind(name)
        self.told: list[str] = []

    async def receives(self, *expected: str) -> None:
        """Wait until this is what it was told, and nothing else."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HANGS_AFTER):
                while len(self.told) < len(expected):
                    await self.receive()
        assert self.told == list(expected)

    async def receive(self) -> None:
        """Wait for one more."""
        told = await self._ear.receive()
        event, data = told["event"], told["data"]
        self.told.append(str(data["content"]) if event == "newMessage" else str(event))


class CountedWakes(WakeLog):
    """A wake log that counts how often it was read."""

    reads = 0

    async def last(self, number: int) -> int:
        """As ever."""
        found = await super().last(number)
        self.reads += 1
        return found

    async def since(self, number: int, counter: int, most: int) -> list[Event | None]:
        """As ever."""
        found = await super().since(number, counter, most)
        self.reads += 1
        return found


class Gateway:
    """A gateway's part that follows chats; its channels can be held up and cut.

    Attributes:
        followed: each channel as often as it was reported to be subscribed.
        woken: how many wakes it heard by its channels.
    """

    def __init__(self, stage: Stage, channels: Proxy, wake_after: float = 600) -> None:
        self.flusher = Flusher()
        self.hub = Hub(stage.keys, Replay(stage.log_broker(), stage.reader), self.flusher)
        self.wakes = CountedWakes(PartitionReader(stage.server.pipe(), stage.keys, stage.fence))
        self.follower = ChatFollower(
            *(self.hub, stage.chats, self.wakes, stage.keys),
            replace(stage.settings, wake_after=wake_after),
        )
        self.channels = channels
        self.followed: list[str] = []
        self.woken = 0
        self.subscriber = Subscriber(channels.url, self._receive, self._subscribed)
        self.hub.attach(self.subscriber)
        for channel in self.follower.channels:
            self.subscriber.subscribe(channel)

    async def start(self) -> None:
        """Follow the control channels."""
        self.subscriber.start()
        self.follower.task.start()
        await self.reported(1)

    async def reported(self, times: int) -> None:
        """Wait until every control channel was subscribed so many times, and its log read."""
        channels = self.follower.channels

        async def inspect() -> bool:
            subscribed = all(self.followed.count(name) >= times for name in channels)
            return subscribed and self.wakes.reads >= times * len(channels)

        await eventually(inspect)

    async def wakes_heard(self, count: int) -> None:
        """Wait until it has heard so many wakes."""

        async def inspect() -> bool:
            return self.woken >= count

        await eventually(inspect)

    async def user(self, name: str) -> User:
        """Somebody comes."""
        made = User(name)
        self.hub.subscribe_to_chats(made.client, name)
        await self.follower.user_connected(name)
        return made

    async def close(self) -> None:
        """Stop."""
        await self.follower.task.close()
        await self.subscriber.close()

    def _receive(self, channel: str, data: bytes) -> None:
        event = codec.decode(data)
        if not self.hub.receive(channel, event):
            self.follower.receive(channel, event)
        self.woken += isinstance(event.body, Wake)

    def _subscribed(self, channel: str) -> None:
        self.followed.append(channel)
        self.follower.subscribed(channel)
        self.hub.subscribed(channel)


@pytest.fixture
async def gateway(stage: Stage) -> AsyncIterator[Gateway]:
    """A gateway with open partitions."""
    async with stage.storing(), Proxy(stage.server.port) as channels:
        made = Gateway(stage, channels)
        await made.start()
        yield made
        await made.close()


async def test_a_new_chat_is_told_and_followed(stage: Stage, gateway: Gateway) -> None:
    """Both users of a new chat are told of it once, and hear all that is said in it."""
    ann, bob, cyd = [await gateway.user(name) for name in ("ann", "bob", "cyd")]
    chat = await stage.chat()
    for n in range(3):
        await stage.send(chat, f"m{n}")
    for user in (ann, bob):
        await user.receives("newChat", "m0", "m1", "m2")
    await stage.chat("bob", "cyd")
    await cyd.receives("newChat")


async def test_news_in_a_quiet_chat_are_heard(stage: Stage, gateway: Gateway) -> None:
    """A message to a chat that nobody follows wakes its users' gateways, and they hear it."""
    impatient = Publisher(
        *(stage.server.pipe(), stage.keys, stage.fence),
        replace(stage.settings, wake_after=0.1),
    )
    chat = await stage.chat()
    await gateway.wakes_heard(1)
    bob = User("bob")
    gateway.hub.subscribe_to_chats(bob.client, "bob")  # it was quiet when bob came: not followed
    assert gateway.hub.followed(chat.key) is None
    for content in ("m1", "m2", "m3"):
        await impatient.send(chat, "ann", content, MessagePosted("ann", content, content))
        await asyncio.sleep(0.15)
    await bob.receives("m1", "m2", "m3")


async def test_a_chat_with_news_is_followed_by_who_comes(stage: Stage, gateway: Gateway) -> None:
    """Who comes while a chat is busy hears it from there on."""
    chat = await stage.chat()
    await stage.send(chat, "before")
    await gateway.wakes_heard(2)
    bob = await gateway.user("bob")
    await stage.send(chat, "m1")
    await bob.receives("m1")


async def test_nobody_here(stage: Stage, gateway: Gateway) -> None:
    """A gateway without users of a chat does not follow it."""
    await gateway.user("cyd")
    chat = await stage.chat()
    await stage.send(chat, "m1")
    await stage.chat("ann", "cyd")
    assert gateway.hub.followed(chat.key) is None
    assert len(gateway.hub.followed_rooms()) <= 1


async def test_a_lost_wake_is_read_from_the_log(stage: Stage, gateway: Gateway) -> None:
    """A wake that the channel lost is found in the wake log, and what woke is heard, once."""
    bob = await gateway.user("bob")
    gateway.channels.hold()
    chat = await stage.chat()
    await stage.send(chat, "m1")
    gateway.channels.cut()
    gateway.channels.let_go()
    await gateway.reported(2)
    await bob.receives("newChat", "m1")
    gateway.channels.cut()
    await gateway.reported(3)
    await stage.send(chat, "m2")
    await bob.receives("newChat", "m1", "m2")


async def test_wakes_from_before_it_started(stage: Stage, gateway: Gateway) -> None:
    """A gateway is told nothing of wakes from before it was there."""
    await stage.send(await stage.chat(), "m1")
    async with Proxy(stage.server.port) as channels:
        late = Gateway(stage, channels)
        bob = User("bob")
        late.hub.subscribe_to_chats(bob.client, "bob")
        await late.start()
        await stage.chat("bob", "cyd")
        await bob.receives("newChat")
        await late.close()
    assert gateway.hub.followed_rooms() == []


@pytest.mark.parametrize("said_more", [False, True])
async def test_a_chat_that_was_looked_up_before_its_wake(
    stage: Stage, gateway: Gateway, *, said_more: bool
) -> None:
    """What was said before a chat was looked up, and its wake comes late, is heard, or made good.

    Whoever was here then hears it; who came after has it as history.
    """
    chat = await stage.chat()
    await stage.send(chat, "before")
    await stage.trimmed()
    await stage.gone_quiet_at_once(chat)
    bob = User("bob")
    gateway.hub.subscribe_to_chats(bob.client, "bob")
    gateway.channels.hold()
    await stage.send(chat, "m1")
    held = await stage.directory.held(chat.key)
    assert held is not None
    local = gateway.hub.follow(held.room, held.idle)
    late = User("bob")
    gateway.hub.subscribe_to_chats(late.client, "bob")
    told = ["m1"]
    if said_more:
        await stage.send(chat, "m2")
        [event] = (await stage.replay.after(chat, local.head)).events
        local.receive(event)
        await bob.receives("m2")
        told = ["m2", "resume_required"]
    gateway.channels.let_go()
    await bob.receives(*told)
    await stage.send(chat, "m3")
    await bob.receives(*told, "m3")
    await late.receives(*(told if said_more else []), "m3")


async def test_more_wakes_lost_than_the_log_has(
    stage: Stage, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where more wakes were lost than are kept, chats are looked up, and users told to resume."""
    monkeypatch.setattr("gateway.rooms.chat_follower.MAX_WAKES", 3)
    bob = await gateway.user("bob")
    gateway.channels.hold()
    chat = await stage.chat()
    await stage.send(chat, "missed")  # no later one wakes
    part = stage.keys.of(chat.key)
    for n in range(12):
        await stage.chat(f"x{n}", f"y{n}")
    await stage.server.admin.xtrim(part.wakes, maxlen=3, approximate=False)
    gateway.channels.cut()
    gateway.channels.let_go()
    await bob.receives("resume_required")
    await stage.send(chat, "m1")
    await bob.receives("resume_required", "m1")


async def test_a_wake_that_cannot_be_read(stage: Stage, gateway: Gateway) -> None:
    """Where a wake is of a later version, its chat is looked up, and its users told to resume."""
    bob = await gateway.user("bob")
    gateway.channels.hold()
    chat = await stage.chat()
    part, admin = stage.keys.of(chat.key), stage.server.admin
    await stage.send(chat, "missed")  # no later one wakes
    for place, _ in await admin.xrange(part.wakes):
        await admin.xdel(part.wakes, place)
    counter = await admin.hincrby(part.record, "counter", 1)
    await admin.xadd(part.wakes, {"e": b"later"}, f"{counter}-0")
    gateway.channels.cut()
    gateway.channels.let_go()
    await bob.receives("resume_required")
    await stage.send(chat, "m1")
    await bob.receives("resume_required", "m1")


async def test_who_comes_after_a_restart_of_the_broker(stage: Stage, gateway: Gateway) -> None:
    """Who comes after the broker restarted hears what is said in a chat that was busy before."""
    chat = await stage.chat()
    await stage.send(chat, "before")
    await stage.trimmed()
    await stage.server.restart()
    await stage.in_epoch(2)
    await gateway.reported(2)
    bob = await gateway.user("bob")
    await stage.insist(chat, "m1")
    await bob.receives("m1")


async def test_who_comes_after_the_broker_lost_everything(stage: Stage, gateway: Gateway) -> None:
    """Who comes after the broker came back empty hears what is said in a chat that was busy."""
    chat = await stage.chat()
    await stage.send(chat, "before")
    await stage.trimmed()
    await stage.server.flush()
    await stage.in_epoch(2)
    bob = await gateway.user("bob")
    await stage.insist(chat, "m1")
    await bob.receives("m1")


async def test_who_comes_to_a_chat_that_left_the_broker(stage: Stage, gateway: Gateway) -> None:
    """With a ROOM_IDLE below WAKE_AFTER, too, a message to a chat that was not held is heard."""
    chat = await stage.chat()
    await stage.send(chat, "before")
    await stage.trimmed()
    await stage.gone_quiet_at_once(chat)  # not quiet for so long that it would wake by itself
    bob = await gateway.user("bob")
    await stage.send(chat, "m1")
    await bob.receives("m1")


async def test_quiet_chats_are_let_go(stage: Stage, gateway: Gateway) -> None:
    """A chat is followed half as long again as it takes to be quiet, and for who is here only."""
    async with Proxy(stage.server.port) as channels:
        hasty = Gateway(stage, channels, wake_after=1)
        await hasty.start()
        await hasty.user("bob")
        begun = time.monotonic()
        chat = await stage.chat()

        async def inspect() -> bool:
            return (hasty.hub.followed(chat.key) is not None) is wanted

        wanted = True
        await eventually(inspect)
        wanted = False
        await eventually(inspect)
        assert time.monotonic() - begun >= 1.5
        await hasty.close()
    ann = await gateway.user("ann")
    await stage.send(chat, "m1")
    await ann.receives("m1")


async def test_the_end_of_a_chat_is_heard(stage: Stage, gateway: Gateway) -> None:
    """A deletion of a quiet chat is told to its users, who then hear of the next one."""
    chat = await stage.chat()
    await stage.send(chat, "before")
    await stage.trimmed()
    await stage.gone_quiet_at_once(chat)
    bob = await gateway.user("bob")
    await stage.drop(await stage.chat())
    await bob.receives("chatDeleted")
    assert gateway.hub.followed(chat.key) is None
    await stage.send(await stage.chat(), "m1")
    await bob.receives("chatDeleted", "newChat", "m1")


async def test_the_end_of_a_chat_waits_for_nothing(stage: Stage, gateway: Gateway) -> None:
    """Who is still being told what they missed of a chat is told at once that it is gone."""
    bob = await gateway.user("bob")
    chat = await stage.chat()
    await bob.receives("newChat")
    async with subscribing(gateway.hub, bob.client, chat, resuming=True) as opening:
        pass
    await stage.send(chat, "waits")
    await stage.drop(chat)
    await bob.receives("newChat", "chatDeleted")
    assert opening.subscription.waiting
