"""What the client promises when connections are lost: nothing lost, doubled or out of order."""

import asyncio

import pytest

from parley_chat import (
    CaughtUp,
    ChatClient,
    Connected,
    Disconnected,
    HistoryCleared,
    Message,
    State,
)
from parley_chat.connection.wire import WireName
from tests.integration.clients.python.listening import (
    QUICK,
    contents,
    gateway_of,
    messages_until,
    restarted,
    until,
)
from tests.integration.clients.python.relay import Frame, Relay, all_frames
from tests.support.cluster import Cluster
from tests.support.ports import free_port


def numbered(count: int, start: int = 0) -> list[str]:
    return [str(number) for number in range(start, start + count)]


async def say(client: ChatClient, room: str, said: list[str]) -> None:
    await asyncio.gather(*(client.send(room, content) for content in said))


@pytest.mark.parametrize("wire", ["json", "msgpack"])
async def test_a_gateway_is_killed_in_mid_conversation(
    cluster: Cluster, room: str, wire: WireName
) -> None:
    """A kill -9 of the gateway loses, doubles and reorders nothing, for speaker and listener."""
    gateways = [cluster.gateway_url(1), cluster.gateway_url(2)]
    said = numbered(400)
    async with (
        ChatClient(gateways, username="ann", wire=wire, policy=QUICK) as ann,
        ChatClient(gateways, username="bob", policy=QUICK) as bob,
    ):
        doomed = await gateway_of(cluster, ann)
        await ann.create_room(room)
        await ann.join_room(room)
        await bob.join_room(room)
        received = [asyncio.create_task(messages_until(client, "399")) for client in (ann, bob)]
        sends = [asyncio.create_task(ann.send(room, content)) for content in said[:200]]
        await asyncio.wait(sends, return_when=asyncio.FIRST_COMPLETED)
        killed = cluster.kill(doomed)
        sends += [asyncio.create_task(ann.send(room, content)) for content in said[200:]]
        accepted = await asyncio.gather(*sends)
        assert [answer.seq for answer in accepted] == list(range(1, 401))
        for messages in await asyncio.gather(*received):
            assert contents(messages) == said
            assert [message.id for message in messages] == [answer.id for answer in accepted]
        assert (await ann.history(room, limit=1)).head == 400
    await restarted(cluster, doomed, killed)


async def test_what_was_missed_comes_before_what_is_live(
    cluster: Cluster, gateway: str, room: str
) -> None:
    """Several pages are caught up with, each message once and in order, while more arrive."""
    async with (
        Relay(gateway) as relay,
        ChatClient(cluster.gateway_url(1), username="ann", listen=False) as ann,
        ChatClient(relay.url, username="bob", policy=QUICK) as bob,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        await bob.join_room(room)
        await ann.send(room, "before")
        await messages_until(bob, "before")
        await relay.shut()
        lost, _ = await until(bob, Disconnected)
        assert (lost.final, bob.state) == (False, State.RECONNECTING)
        await say(ann, room, numbered(250))
        live = asyncio.create_task(say(ann, room, numbered(250, 250)))
        await relay.open()
        again, _ = await until(bob, Connected)
        assert again.again
        caught_up, events = await until(bob, CaughtUp)
        await live
        await ann.send(room, "end")
        events += await messages_until(bob, "end")
    found = contents([event for event in events if isinstance(event, Message)])
    assert found == [*numbered(500), "end"]
    assert caught_up.room == room
    assert 250 <= caught_up.count <= 500


async def test_long_messages_that_were_missed(room: str) -> None:
    """Missed messages that do not fit into one page by their length are all read."""
    sent = [f"{number} ".ljust(16_000, "x") for number in range(90)]
    async with (
        Cluster(gateways=1, env={"MAX_CONTENT": "16000"}) as generous,
        Relay(generous.gateway_url(1)) as relay,
        ChatClient(generous.gateway_url(1), username="ann", listen=False) as ann,
        ChatClient(relay.url, username="bob", policy=QUICK) as bob,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        await bob.join_room(room)
        await relay.shut()
        await until(bob, Disconnected)
        await say(ann, room, sent)
        await relay.open()
        _, events = await until(bob, CaughtUp)
        assert contents([event for event in events if isinstance(event, Message)]) == sent


async def test_each_attempt_goes_to_the_next_address(cluster: Cluster, room: str) -> None:
    """Of several addresses those that do not answer are passed over, at first and later."""
    nobody = f"http://127.0.0.1:{free_port()}"
    async with Relay(cluster.gateway_url(1)) as relay:
        addresses = [nobody, relay.url, cluster.gateway_url(2)]
        async with ChatClient(addresses, username="ann", policy=QUICK) as ann:
            connected, _ = await until(ann, Connected)
            assert connected.url == f"{relay.url}/ws".replace("http", "ws")
            await ann.create_room(room)
            await ann.join_room(room)
            await relay.shut()
            connected, _ = await until(ann, Connected)
            assert connected.url == f"{cluster.gateway_url(2)}/ws".replace("http", "ws")
            await ann.send(room, "elsewhere")


async def test_sends_wait_for_the_connection(gateway: str, room: str) -> None:
    """What is said while there is no connection is sent in order when there is one."""
    async with (
        Relay(gateway) as relay,
        ChatClient(relay.url, username="ann", policy=QUICK) as ann,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        await relay.shut()
        await until(ann, Disconnected)
        saying = asyncio.create_task(say(ann, room, numbered(20)))
        await asyncio.sleep(0)
        await relay.open()
        await saying
        assert contents(await messages_until(ann, "19")) == numbered(20)


@pytest.mark.parametrize("garbled", [False, True])
async def test_a_hole_is_closed(gateway: str, room: str, *, garbled: bool) -> None:
    """A live event that was lost or garbled is read from history before the next one is shown."""

    def lossy(frame: Frame) -> bool:
        if frame["event"] != "message" or frame["data"]["content"] not in {"2", "3"}:
            return True
        frame.clear()
        return garbled

    async with (
        Relay(gateway) as relay,
        ChatClient(relay.url, username="ann") as ann,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        relay.to_client = lossy
        for content in numbered(6):
            await ann.send(room, content)
        assert contents(await messages_until(ann, "5")) == numbered(6)


async def test_a_repeated_event_is_shown_once(gateway: str, room: str) -> None:
    """An event that comes twice is shown once."""
    async with (
        Relay(gateway) as relay,
        ChatClient(relay.url, username="ann") as ann,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        first = await ann.send(room, "first")

        def repeat(frame: Frame) -> bool:
            if frame["event"] == "message":
                frame["data"] |= {"seq": first.seq, "prev": 0, "content": "again"}
            return True

        await messages_until(ann, "first")
        relay.to_client = repeat
        await ann.send(room, "second")
        relay.to_client = all_frames
        await ann.send(room, "third")
        assert contents(await messages_until(ann, "third")) == ["second", "third"]


@pytest.mark.parametrize("more", [0, 3, 150])
async def test_a_clearing_while_away(cluster: Cluster, gateway: str, room: str, more: int) -> None:
    """A deletion that was missed is told, then what was said since; what was deleted is not."""
    async with (
        Relay(gateway) as relay,
        ChatClient(cluster.gateway_url(1), username="ann", listen=False) as ann,
        ChatClient(relay.url, username="bob", policy=QUICK) as bob,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        await bob.join_room(room)
        await ann.send(room, "before")
        await messages_until(bob, "before")
        await relay.shut()
        await until(bob, Disconnected)
        await say(ann, room, numbered(120))
        await ann.delete_messages(room)
        await say(ann, room, numbered(more, 1000))
        await relay.open()
        caught_up, before = await until(bob, CaughtUp)
        events = [event for event in before if isinstance(event, Message | HistoryCleared)]
    assert events[0] == HistoryCleared(room=room, seq=122, prev=1)
    assert [getattr(event, "content", "cleared") for event in events[1:]] == numbered(more, 1000)
    assert caught_up.count == more


async def test_it_may_be_told_to_resume(gateway: str, room: str) -> None:
    """Told that something may be missing, the client asks, and shows what was."""

    def hide(frame: Frame) -> bool:
        if frame["event"] == "message":
            frame |= {"event": "resume_required", "data": {"rooms": [room]}}
            del frame["room"]
        return True

    async with (
        Relay(gateway) as relay,
        ChatClient(relay.url, username="ann") as ann,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        relay.to_client = hide
        await ann.send(room, "hidden")
        assert contents(await messages_until(ann, "hidden")) == ["hidden"]
