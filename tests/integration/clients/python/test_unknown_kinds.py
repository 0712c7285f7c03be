"""What the client does with events of a log that a newer server knows and it does not."""

from collections.abc import Callable

import pytest

from parley_chat import (
    CaughtUp,
    ChatClient,
    Disconnected,
    HistoryCleared,
    Message,
    MessageDeleted,
    MessageSeen,
    NewMessage,
    UnknownEvent,
)
from tests.integration.clients.python.listening import QUICK, direct_until, messages_until, until
from tests.integration.clients.python.relay import Frame, Relay, all_frames
from tests.support.cluster import Cluster

Users = tuple[int, str]
PLACE = ("room", "chatId", "seq", "prev")


def unknown(frame: Frame, *, beside: bool = False) -> None:
    """Make of a frame one of a kind that nobody knows; `beside`: it names its place beside data."""
    data = {**frame["data"], **{name: frame[name] for name in PLACE if name in frame}}
    place = {name: data[name] for name in PLACE if name in data}
    frame.clear()
    frame |= {"event": "skipped", "data": place}
    if beside:
        frame |= {name: place.pop(name) for name in ("room", "chatId") if name in place}


def instead_of(*names: str, beside: bool = False) -> Callable[[Frame], bool]:
    """Let events of these names come as ones of an unknown kind."""

    def change(frame: Frame) -> bool:
        if frame["event"] in names:
            unknown(frame, beside=beside)
        return True

    return change


def asked(relay: Relay) -> list[str]:
    """What clients asked since they said something for the first time."""
    events = [frame["event"] for frame in relay.seen]
    return events[events.index("message" if "message" in events else "sendMessage") :]


@pytest.mark.parametrize("beside", [True, False])
async def test_a_room_goes_on_behind_it(gateway: str, room: str, *, beside: bool) -> None:
    """An unknown event of a room takes its place: what follows is no hole, and nothing is asked."""
    async with Relay(gateway) as relay, ChatClient(relay.url, username="ann") as client:
        await client.create_room(room)
        await client.join_room(room)
        relay.to_client = instead_of("moderatorChanged", beside=beside)
        await client.send(room, "one")
        await client.set_moderator(room, "bob")
        await client.send(room, "two")
        other, before = await until(client, UnknownEvent)
        assert (other.name, other.room, other.seq, other.prev) == ("skipped", room, 2, 1)
        assert [event.content for event in before if isinstance(event, Message)] == ["one"]
        assert [message.seq for message in await messages_until(client, "two")] == [3]
        assert asked(relay) == ["message", "setModerator", "message"]


@pytest.mark.parametrize("beside", [True, False])
async def test_a_chat_goes_on_behind_it(gateway: str, users: Users, *, beside: bool) -> None:
    """An unknown event of a chat takes its place as one of a room does."""
    ann, bob = users
    async with Relay(gateway) as relay, ChatClient(relay.url) as client:
        await client.go_online(ann)
        relay.to_client = instead_of("messageDeleted", beside=beside)
        sent = await client.send_to(bob, "one")
        await client.delete_message(sent.id)
        await client.send_to(bob, "two")
        other, _ = await until(client, UnknownEvent)
        assert (other.name, other.chat_id, other.seq, other.prev) == ("skipped", sent.chat_id, 2, 1)
        assert [message.seq for message in await direct_until(client, "two")] == [3]
        assert asked(relay) == ["sendMessage", "deleteMessage", "sendMessage"]


async def test_a_chat_may_begin_with_it(gateway: str, users: Users) -> None:
    """A chat whose first event is of an unknown kind begins with it, and goes on from there."""
    ann, bob = users

    def change(frame: Frame) -> bool:
        if frame["event"] == "newMessage" and frame["data"]["content"] == "one":
            unknown(frame)
        return str(frame["event"]) != "newChat"

    async with Relay(gateway) as relay, ChatClient(relay.url) as client:
        await client.go_online(ann)
        relay.to_client = change
        await client.send_to(bob, "one")
        await until(client, UnknownEvent)
        await client.send_to(bob, "two")
        assert [message.seq for message in await direct_until(client, "two")] == [2]
        assert asked(relay) == ["sendMessage", "sendMessage"]


async def test_it_shows_a_hole(gateway: str, room: str) -> None:
    """An unknown event waits for what is missing before it, as a known one does."""

    def lossy(frame: Frame) -> bool:
        instead_of("moderatorChanged")(frame)
        return frame["event"] != "message" or str(frame["data"]["content"]) != "lost"

    async with Relay(gateway) as relay, ChatClient(relay.url, username="ann") as client:
        await client.create_room(room)
        await client.join_room(room)
        relay.to_client = lossy
        await client.send(room, "lost")
        await client.set_moderator(room, "bob")
        other, before = await until(client, UnknownEvent)
        assert [event.content for event in before if isinstance(event, Message)] == ["lost"]
        assert other.seq == 2
        relay.to_client = all_frames
        await client.send(room, "end")
        assert [message.seq for message in await messages_until(client, "end")] == [3]


async def test_a_missed_one_is_no_clearing(cluster: Cluster, room: str) -> None:
    """Where nothing was said, an event that history does not have did not clear the room."""
    async with (
        Relay(cluster.gateway_url(2)) as relay,
        ChatClient(cluster.gateway_url(1), username="ann", listen=False) as ann,
        ChatClient(relay.url, username="bob", policy=QUICK) as bob,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        await ann.set_moderator(room, "carl")
        await bob.join_room(room)
        await relay.shut()
        await until(bob, Disconnected)
        await ann.set_moderator(room, "dora")
        await relay.open()
        caught_up, events = await until(bob, CaughtUp)
        assert caught_up.count == 0
        assert not [event for event in events if isinstance(event, HistoryCleared)]


async def test_a_server_may_not_name_the_chat(cluster: Cluster, users: Users) -> None:
    """What is about a message that is known belongs to its chat, also where nobody says so."""
    ann, bob = users

    def nameless(frame: Frame) -> bool:
        if frame["event"] in {"messageSeen", "messageDeleted"}:
            del frame["chatId"]
        return True

    async with (
        Relay(cluster.gateway_url(1)) as relay,
        ChatClient(relay.url) as one,
        ChatClient(cluster.gateway_url(2), listen=False) as two,
    ):
        relay.to_client = nameless
        await one.go_online(ann)
        await two.go_online(bob)
        sent = await one.send_to(bob, "one")
        await until(one, NewMessage)  # what is read elsewhere may be told before it
        await two.mark_as_seen(sent.id)
        seen, _ = await until(one, MessageSeen)
        assert seen.chat_id == sent.chat_id
        await one.delete_message(sent.id)
        await one.send_to(bob, "two")
        gone, _ = await until(one, MessageDeleted)
        assert (gone.chat_id, gone.seq) == (sent.chat_id, 2)
        assert (await until(one, NewMessage))[0].seq == 3
        assert "history" not in asked(relay)
