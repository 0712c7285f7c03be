"""Joining, talking and listening while all is well."""

import asyncio

import pytest

from parley_chat import (
    Banned,
    ChatClient,
    ChatError,
    Connected,
    ConnectionLost,
    HistoryCleared,
    Kicked,
    Message,
    ModeratorChanged,
    Notification,
    PasswordChanged,
    Refused,
    RoomCreated,
    RoomLost,
    RuleChange,
    SentMessage,
    ServerError,
    State,
    TypingEvent,
    Unbanned,
    UnknownEvent,
    Unreachable,
)
from parley_chat.connection.wire import WireName
from tests.integration.clients.python.listening import QUICK, contents, messages_until, until
from tests.support.cluster import Cluster
from tests.support.ports import free_port
from tests.support.waiting import HANGS_AFTER


@pytest.mark.parametrize("wire", ["json", "msgpack"])
async def test_two_people_talk(cluster: Cluster, room: str, wire: WireName) -> None:
    """What one says on one gateway, both see, on whichever gateway and in whichever format."""
    async with (
        ChatClient(cluster.gateway_url(1), username="ann", wire=wire) as ann,
        ChatClient(cluster.gateway_url(2), username="bob") as bob,
    ):
        created = await ann.create_room(room)
        assert (created.name, created.protected) == (room, False)
        await ann.join_room(room)
        accepted = await ann.send(room, "déjà vu 👩‍💻")
        joined = await bob.join_room(room)
        assert contents(joined.history) == ["déjà vu 👩‍💻"]
        assert joined.head == accepted.seq == 1
        answered = await bob.send(room, "hello ann")
        for client in (ann, bob):
            message = (await messages_until(client, "hello ann"))[-1]
            assert SentMessage(message.id, message.seq, message.created_at) == answered  # type: ignore[arg-type]
            assert (message.sender, message.prev) == ("bob", 1)


async def test_events_come_typed(gateway: str, room: str) -> None:
    """Connecting, making a room, somebody joining and a deletion are told in typed events."""
    async with (
        ChatClient(gateway, username="ann") as ann,
        ChatClient(gateway, username="bob") as bob,
    ):
        connected, _ = await until(ann, Connected)
        assert (connected.again, ann.state) == (False, State.CONNECTED)
        await ann.create_room(room)
        await ann.join_room(room)
        created, _ = await until(ann, RoomCreated)
        assert created.name == room
        await bob.join_room(room)
        note, _ = await until(ann, Notification, lambda event: event.room == room)
        assert note.content == "bob has joined the room"
        await bob.send(room, "x")
        await bob.delete_messages(room)
        cleared, before = await until(ann, HistoryCleared)
        assert (cleared.seq, cleared.prev) == (2, 1)
        assert not any(isinstance(event, UnknownEvent) for event in before)
        assert (await ann.history(room)).items == []


async def test_looking_after_a_room(cluster: Cluster, room: str) -> None:
    """Who is put out loses the room and is told why; everybody hears of it in order, typed."""
    async with (
        ChatClient(cluster.gateway_url(1), username="ann") as ann,
        ChatClient(cluster.gateway_url(2), username="bob") as bob,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        await bob.join_room(room)
        await ann.set_moderator(room, "mia")
        await ann.kick(room, "bob")
        lost, before = await until(bob, RoomLost)
        assert (lost.room, lost.code) == (room, "forbidden")
        assert isinstance(before[-1], Kicked)
        assert bob.rooms == []
        with pytest.raises(ChatError) as refusal:
            await bob.send(room, "hello?")
        assert refusal.value.code == "not_joined"
        await bob.join_room(room)
        await ann.ban(room, "bob")
        await until(bob, RoomLost)
        with pytest.raises(ChatError) as refusal:
            await bob.join_room(room)
        assert refusal.value.code == "forbidden"
        await ann.unban(room, "bob")
        await ann.set_password(room, "key")
        await bob.join_room(room, "key")
        await bob.send(room, "back")
        _, told = await until(ann, Message)
        assert [event for event in told if isinstance(event, RuleChange)] == [
            ModeratorChanged(room=room, seq=1, prev=0, by="ann", user="mia", moderator=True),
            Kicked(room=room, seq=2, prev=1, by="ann", user="bob"),
            Banned(room=room, seq=3, prev=2, by="ann", user="bob"),
            Unbanned(room=room, seq=4, prev=3, by="ann", user="bob"),
            PasswordChanged(room=room, seq=5, prev=4, by="ann", protected=True),
        ]


async def test_typing_is_seen(cluster: Cluster, room: str) -> None:
    """Who is typing is known until the server says that it is over."""
    async with (
        ChatClient(cluster.gateway_url(1), username="ann") as ann,
        ChatClient(cluster.gateway_url(2), username="bob") as bob,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        await bob.join_room(room)
        await bob.typing(room)
        await until(ann, TypingEvent, lambda event: event.username == "bob")
        assert ann.typing_users(room) == ["bob"]
        await until(ann, TypingEvent, lambda event: event.username is None)
        assert ann.typing_users(room) == []


async def test_one_who_stops_typing_is_told_from_another(cluster: Cluster, room: str) -> None:
    """While carl types on, bob's message ends his typing alone, and at once."""
    async with (
        ChatClient(cluster.gateway_url(1), username="ann") as ann,
        ChatClient(cluster.gateway_url(2), username="bob") as bob,
        ChatClient(cluster.gateway_url(2), username="carl") as carl,
    ):
        await ann.create_room(room)
        for client in (ann, bob, carl):
            await client.join_room(room)
        await bob.typing(room)
        await until(ann, TypingEvent, lambda event: event.users == ["bob"])
        both = asyncio.create_task(
            until(ann, TypingEvent, lambda event: event.users == ["bob", "carl"])
        )
        while not both.done():  # one sign might end before the other is shown
            await bob.typing(room)
            await carl.typing(room)
            await asyncio.wait([both], timeout=0.5)
        await both
        await bob.send(room, "said")
        await until(ann, TypingEvent, lambda event: event.users == ["carl"])
        assert ann.typing_users(room) == ["carl"]
        await until(ann, TypingEvent, lambda event: event.users == [])
        assert ann.typing_users(room) == []


async def test_passwords(gateway: str, room: str) -> None:
    """A wrong password is a coded error and no event; the right one lets in."""
    async with ChatClient(gateway, username="ann") as ann:
        await ann.create_room(room, "s3cret")
        with pytest.raises(ChatError) as refusal:
            await ann.join_room(room, "guess")
        assert (refusal.value.code, refusal.value.retryable) == ("forbidden", False)
        assert ann.rooms == []
        await ann.join_room(room, "s3cret")
        assert ann.rooms == [room]
        await ann.send(room, "in")
        _, before = await until(ann, Message)
        assert not any(
            "Invalid" in str(event) or isinstance(event, UnknownEvent) for event in before
        )


async def test_a_room_is_left(gateway: str, room: str) -> None:
    """In a room that was left nothing can be said any more."""
    async with ChatClient(gateway, username="ann") as ann:
        await ann.create_room(room)
        await ann.join_room(room)
        await ann.leave_room(room)
        await ann.leave_room(room)
        assert ann.rooms == []
        with pytest.raises(ChatError, match="join") as refusal:
            await ann.send(room, "hello?")
        assert refusal.value.code == "not_joined"


async def test_rooms_and_history_in_pages(gateway: str, room: str) -> None:
    """Rooms and history are read in pages, forward and backward."""
    names = [f"{room} {letter}" for letter in "abc"]
    async with ChatClient(gateway, username="ann", listen=False) as ann:
        for name in names:
            await ann.create_room(name, "pw" if name.endswith("b") else None)
        page = await ann.get_rooms(after=room, limit=2)
        assert [(found.name, found.protected) for found in page] == [
            (names[0], False),
            (names[1], True),
        ]
        await ann.join_room(names[0])
        await asyncio.gather(*(ann.send(names[0], str(number)) for number in range(1, 8)))
        newest = await ann.history(names[0], limit=2)
        assert (contents(newest.items), newest.head) == (["6", "7"], 7)
        before = await ann.history(names[0], before=newest.items[0].seq, limit=2)
        assert contents(before.items) == ["4", "5"]
        after = await ann.history(names[0], after=2, limit=2)
        assert contents(after.items) == ["3", "4"]


async def test_sends_keep_the_order_of_their_calls(gateway: str, room: str) -> None:
    """Sends that do not wait for each other take their places in the order of the calls."""
    async with ChatClient(gateway, username="ann", wire="msgpack") as ann:
        await ann.create_room(room)
        await ann.join_room(room)
        sent = await asyncio.gather(*(ann.send(room, str(number)) for number in range(300)))
        assert [accepted.seq for accepted in sent] == list(range(1, 301))


async def test_one_client_msg_id_is_one_message(cluster: Cluster, room: str) -> None:
    """The same clientMsgId again, through another gateway, is the same message."""
    async with (
        ChatClient(cluster.gateway_url(1), username="ann") as one,
        ChatClient(cluster.gateway_url(2), username="ann") as other,
    ):
        await one.create_room(room)
        await one.join_room(room)
        await other.join_room(room)
        assert await one.send(room, "x", "once") == await other.send(room, "x", "once")
        assert len((await one.history(room)).items) == 1


async def test_anything_else_can_be_asked(gateway: str, room: str) -> None:
    """Raw requests get the reply's data, raw events without an id their error as an event."""
    async with ChatClient(gateway, username="ann") as ann:
        await ann.create_room(room)
        assert (await ann.request("joinRoom", {"room": room}))["room"] == room
        with pytest.raises(ChatError) as refusal:
            await ann.request("noSuchEvent")
        assert refusal.value.code == "unknown_event"
        with pytest.raises(TypeError):
            await ann.request("message", {"content": object()})
        await ann.emit("noSuchEvent")
        error, _ = await until(ann, ServerError)
        assert error.code == "unknown_event"


async def test_a_name_is_taken_later(gateway: str, room: str) -> None:
    """A client without a name gets one by asking; the first one stays."""
    async with ChatClient(gateway) as client:
        await client.set_username("ann")
        assert client.username == "ann"
        with pytest.raises(ChatError, match="name") as refusal:
            await client.set_username("bob")
        assert refusal.value.code == "forbidden"
        await client.create_room(room)
        await client.join_room(room)
        await client.send(room, "x")
        assert (await messages_until(client, "x"))[-1].sender == "ann"


async def test_a_bot_is_not_locked_out_by_a_flood(cluster: Cluster, room: str) -> None:
    """Whoever answers within the loop over events gets its replies, however small the queue."""
    async with (
        ChatClient(cluster.gateway_url(1), username="ann", listen=False) as ann,
        ChatClient(cluster.gateway_url(2), username="bot", queue=5) as bot,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        await bot.join_room(room)
        await asyncio.gather(*(ann.send(room, str(number)) for number in range(60)))
        seen = 0
        async with asyncio.timeout(HANGS_AFTER):
            async for event in bot.events():
                if getattr(event, "sender", "") == "ann":
                    await bot.send(room, f"re {event}"[:100])
                    seen += 1
                if seen == 60:
                    break


async def test_whoever_does_not_listen_gets_replies(cluster: Cluster, room: str) -> None:
    """Replies come to a client whose queue is full and that nobody reads."""
    async with (
        ChatClient(cluster.gateway_url(1), username="ann", listen=False) as ann,
        ChatClient(cluster.gateway_url(2), username="bob", queue=5) as bob,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        await bob.join_room(room)
        await asyncio.gather(*(ann.send(room, str(number)) for number in range(30)))
        for _ in range(5):
            assert (await bob.history(room, limit=1)).head == 30


async def test_a_slow_reader_misses_nothing(cluster: Cluster, room: str) -> None:
    """Whoever does not read for a while gets everything afterwards, once and in order."""
    async with (
        ChatClient(cluster.gateway_url(1), username="ann", listen=False) as ann,
        ChatClient(cluster.gateway_url(2), username="bob", queue=10, policy=QUICK) as bob,
    ):
        await ann.create_room(room)
        await ann.join_room(room)
        await bob.join_room(room)
        text = "x" * 3900
        for start in range(0, 2000, 200):  # 8 MB: more than sockets and outbox hold
            numbers = range(start, start + 200)
            await asyncio.gather(*(ann.send(room, f"{number} {text}") for number in numbers))
        await ann.send(room, "end")
        found = contents(await messages_until(bob, "end"))
    assert [content.split()[0] for content in found] == [*map(str, range(2000)), "end"]


async def test_closing_ends_everything(gateway: str, room: str) -> None:
    """Closing ends the iteration, and what is asked afterwards fails at once."""
    client = ChatClient(gateway, username="ann")
    async with client:
        reading = asyncio.create_task(until(client, RoomCreated))
    with pytest.raises(AssertionError, match="no RoomCreated"):
        await reading
    assert client.state is State.CLOSED
    with pytest.raises(ConnectionLost):
        await client.join_room(room)


async def test_nobody_there() -> None:
    """Where no server answers, connecting fails after a few attempts and says where."""
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(Unreachable, match=r"cannot be reached: Connection refused"):
        await ChatClient(url, policy=QUICK).connect()


async def test_somebody_else_there(cluster: Cluster) -> None:
    """Where something else answers, connecting fails at once."""
    with pytest.raises(Refused, match="refuses the connection"):
        await ChatClient(f"{cluster.gateway_url(1)}/health/live/ws").connect()


@pytest.mark.parametrize("name", ["", "x" * 257])
def test_names_that_cannot_be(name: str) -> None:
    """A name that is too long to be asked for is refused before any connection."""
    with pytest.raises(ValueError, match="a name"):
        ChatClient("http://127.0.0.1:1", username=name)
