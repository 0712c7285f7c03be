"""Following channels over a connection that breaks."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.broker.transport import subscriber
from shared.broker.transport.subscriber import Subscriber
from tests.support.valkey import Valkey
from tests.support.waiting import eventually


class Ear:
    """A subscriber, and what it said."""

    def __init__(self, server: Valkey) -> None:
        self.server = server
        self.messages: list[tuple[str, bytes]] = []
        self.subscribed: list[str] = []
        self.subscriber = Subscriber(
            server.url, lambda *message: self.messages.append(message), self.subscribed.append
        )
        self.subscriber.start()

    async def follow(self, channel: str) -> None:
        """Hold a channel and wait until it is followed."""
        before = self.subscribed.count(channel)
        self.subscriber.subscribe(channel)
        await self.told(channel, before + 1)

    async def told(self, channel: str, times: int) -> None:
        """Wait until a channel was reported so many times."""

        async def inspect() -> bool:
            return self.subscribed.count(channel) >= times

        await eventually(inspect)

    async def publish(self, channel: str, data: bytes) -> int:
        """Publish; how many got it."""
        return int(await self.server.admin.execute_command("SPUBLISH", channel, data))

    async def received(self, *data: bytes) -> None:
        """Wait until exactly this was heard, and forget it."""

        async def inspect() -> bool:
            return len(self.messages) >= len(data)

        await eventually(inspect)
        assert [message for _, message in self.messages] == list(data)
        self.messages.clear()

    async def followers(self, channel: str) -> int:
        """How many connections follow a channel."""
        answer = await self.server.admin.execute_command("PUBSUB", "SHARDNUMSUB", channel)
        return int(answer[1])


@pytest.fixture
async def ear(server: Valkey) -> AsyncIterator[Ear]:
    """A subscriber."""
    made = Ear(server)
    yield made
    await made.subscriber.close()


async def test_messages_in_order(ear: Ear) -> None:
    """What is published on a followed channel arrives once, in order, with its channel."""
    await ear.follow("a")
    for n in range(1000):
        await ear.publish("a" if n % 2 else "b", b"%d" % n)
    await ear.received(*(b"%d" % n for n in range(1, 1000, 2)))
    assert ear.subscribed == ["a"]


async def test_any_bytes(ear: Ear) -> None:
    """Bytes arrive as they were published, large ones too."""
    await ear.follow("größe")
    data = [b"", b"\r\n", bytes(range(256)), b"x" * 1_000_000]
    for item in data:
        await ear.publish("größe", item)
    await ear.received(*data)


async def test_channel_is_followed_while_anyone_holds_it(ear: Ear) -> None:
    """A channel held twice is followed once, until both let go."""
    await ear.follow("a")
    ear.subscriber.subscribe("a")
    await ear.publish("a", b"once")
    await ear.received(b"once")
    ear.subscriber.unsubscribe("a")
    assert await ear.publish("a", b"still") == 1
    await ear.received(b"still")
    ear.subscriber.unsubscribe("a")

    async def left() -> bool:
        return await ear.followers("a") == 0

    await eventually(left)


async def test_held_before_the_start(ear: Ear) -> None:
    """What is held before there is a connection is followed once there is one."""
    await ear.server.kill()
    late = Ear(ear.server)
    late.subscriber.subscribe("a")
    await ear.server.start()
    await late.told("a", 1)
    await late.publish("a", b"x")
    await late.received(b"x")
    await late.subscriber.close()


async def test_killed_connection(ear: Ear) -> None:
    """After its connection was killed, every channel is followed again, and reported."""
    await ear.follow("a")
    await ear.follow("b")
    await ear.server.admin.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    await ear.told("a", 2)
    await ear.told("b", 2)
    await ear.publish("b", b"x")
    await ear.received(b"x")
    assert sorted(ear.subscribed) == ["a", "a", "b", "b"]


async def test_restarted_server(ear: Ear) -> None:
    """After the server was away for a while, every channel is followed again, and reported."""
    await ear.follow("a")
    await ear.server.kill()

    async def noticed() -> bool:
        return not ear.subscriber.connected

    await eventually(noticed)
    ear.subscriber.subscribe("b")
    await ear.server.start()
    await ear.told("a", 2)
    await ear.told("b", 1)
    await ear.publish("a", b"x")
    await ear.received(b"x")


async def test_loading_server() -> None:
    """A channel counts as followed only once the server has loaded its data, and just once."""
    async with Valkey() as server:  # one of its own: others have more to load by now
        ear = Ear(server)
        await ear.follow("a")
        filling = server.admin.pipeline(transaction=False)
        for n in range(2100):  # while it loads, it listens after every 1,024
            filling.set(f"key-{n}", n)
        await filling.execute()
        await server.kill()
        await server.start("--key-load-delay", "300")
        await ear.told("a", 2)
        await ear.publish("a", b"x")
        await ear.received(b"x")
        assert ear.subscribed.count("a") == 2
        await ear.subscriber.close()


async def test_silent_server(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that keeps the connection open and says nothing is noticed by its silence."""
    monkeypatch.setattr(subscriber, "PING_INTERVAL_SECONDS", 0.1)
    monkeypatch.setattr(subscriber, "MAX_SILENCE_SECONDS", 0.4)
    await ear.follow("a")
    ear.server.pause()
    followed = ear.subscribed.count("a")

    async def noticed() -> bool:
        return not ear.subscriber.connected

    try:
        await eventually(noticed)
    finally:
        monkeypatch.undo()  # what is slow from here on is not silent
        ear.server.resume()
    await ear.told("a", followed + 1)
    await ear.publish("a", b"x")
    await ear.received(b"x")


async def test_let_go_while_away(ear: Ear) -> None:
    """A channel that was let go while there was no connection is not followed afterwards."""
    await ear.follow("a")
    await ear.follow("b")
    await ear.server.kill()
    ear.subscriber.unsubscribe("a")
    await ear.server.start()
    await ear.told("b", 2)
    assert await ear.followers("a") == 0


async def test_let_go_and_held_again_at_once(ear: Ear) -> None:
    """Letting a channel go and holding it again does not disturb the connection."""
    await ear.follow("a")
    await ear.follow("other")
    ear.subscriber.unsubscribe("a")
    ear.subscriber.subscribe("a")
    await ear.told("a", 2)
    await ear.follow("marker")
    await ear.publish("a", b"x")
    await ear.received(b"x")
    assert ear.subscribed.count("other") == 1  # a second time would be a new connection
    assert ear.subscriber.connected


async def test_end(ear: Ear) -> None:
    """A closed subscriber leaves no connection behind."""
    await ear.follow("a")
    await ear.subscriber.close()

    async def left() -> bool:
        return await ear.followers("a") == 0

    await eventually(left)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "subscriber"]
