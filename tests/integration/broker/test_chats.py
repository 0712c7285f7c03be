"""Direct chats in the broker: who holds them, what wakes their users, what was deleted in them."""

import asyncio
import time

import msgspec
import pytest
from msgspec.structs import replace

from shared.broker.partitions.partitions import Head
from shared.broker.rooms.answers import HeldRoom, NotHeld
from shared.broker.rooms.publisher import Publisher
from shared.broker.rooms.send import Accepted
from shared.model.events import Event, Wake
from shared.model.formats import NEWEST
from shared.model.ids import counter_of
from shared.model.log_events import MessageDeleted, MessagePosted, RoomDeleted
from shared.model.rooms import Room
from tests.integration.broker.bench import PART, Bench, code_of
from tests.support.waiting import HANGS_AFTER


async def wakes(bench: Bench) -> list[Event]:
    found = await bench.wakes().since(0, 0, 100_000)
    return [wake for wake in found if wake is not None]


def impatient(bench: Bench, wake_after: float) -> Publisher:
    """A publisher for which a chat is quiet sooner."""
    return bench.new_publisher(replace(bench.settings, wake_after=wake_after))


async def delete(bench: Bench, room: Room, message: Accepted) -> Accepted:
    body = MessageDeleted("ann", message.id, message.seq)
    return await bench.publisher.send(room, "ann", f"delete {message.id}", body)


async def drop(bench: Bench, room: Room) -> Accepted:
    return await bench.publisher.send(room, "", f"drop {room.id}", RoomDeleted(""))


async def gone(bench: Bench, room: Room) -> frozenset[int]:
    part = await bench.logs.read_log(room.key, limit=1)
    assert part is not None
    return part.gone


async def test_making_a_chat_wakes(bench: Bench) -> None:
    """The wake of a new chat says so and has the number of its creation."""
    chat = await bench.chat()
    assert await wakes(bench) == [
        Event(NEWEST, chat.id, chat.id, 0, 0, chat.created_at, Wake(chat.key, "ann", "bob", True))  # noqa: FBT003 - as on the wire
    ]


async def test_first_message_wakes(bench: Bench) -> None:
    """A chat's first message is a wake with the numbers of that message; the next one is not."""
    chat = await bench.chat()
    first = await bench.send(chat, "m1")
    await bench.send(chat, "m2")
    [_, wake] = await wakes(bench)
    assert (wake.room_id, wake.id, wake.seq, wake.prev) == (chat.id, first.id, 1, 0)
    assert wake.body == Wake(chat.key, "ann", "bob", created=False)


async def test_a_message_after_quiet_wakes(bench: Bench) -> None:
    """Of many messages, those wake whose predecessor is older than a quiet chat's."""
    chat = await bench.chat()
    publisher = impatient(bench, 0.05)
    for n in range(3):
        await asyncio.sleep(0.06)
        await bench.send(chat, f"{n}-0", via=publisher)
        for m in range(1, 4):  # for which a predecessor is new for ten minutes
            await bench.send(chat, f"{n}-{m}")
    assert [(wake.seq, wake.prev) for wake in await wakes(bench)] == [
        (0, 0),
        (1, 0),
        (5, 4),
        (9, 8),
    ]


async def test_messages_of_one_tick_wake_once(bench: Bench) -> None:
    """Of messages that go to the broker in one call, the first one wakes for all."""
    chat = await bench.chat()
    await bench.fill_more(chat, 50)
    assert [wake.seq for wake in await wakes(bench)] == [0, 1]


async def test_a_chat_that_was_not_held_wakes(bench: Bench) -> None:
    """The first message to a chat that was opened again after quiet wakes, with its place."""
    chat = await bench.chat()
    await bench.fill(chat, 2)
    await bench.owner.committed(0, 1, 3, {chat.key: Head(chat.id, 2)}, [chat.key])
    assert await bench.evict() == 1
    seen = await bench.rooms.find(chat.key)
    assert isinstance(seen, NotHeld)
    assert await bench.rooms.open(replace(chat, head=2), 1000, seen)
    await bench.send(chat, "after quiet")
    await bench.send(chat, "and on")
    assert [(wake.seq, wake.prev) for wake in await wakes(bench)] == [(0, 0), (1, 0), (3, 2)]


async def test_dropping_a_chat_wakes(bench: Bench) -> None:
    """The end of a chat reaches those who do not follow it."""
    chat = await bench.chat()
    await bench.send(chat, "m1")
    dropped = await drop(bench, chat)
    assert [wake.id for wake in await wakes(bench)][-1] == dropped.id


async def test_a_named_room_wakes_nobody(bench: Bench) -> None:
    """A room that is joined by name has no wakes, first message or not."""
    room = await bench.make()
    await bench.fill(room, 3)
    assert await wakes(bench) == []


async def test_refused_sends_wake_nobody(bench: Bench) -> None:
    """A send that was refused, or accepted before, is no wake."""
    chat = await bench.chat()
    publisher = impatient(bench, 0)
    await bench.send(chat, "m1", via=publisher)
    await bench.send(chat, "m1", via=publisher)
    full = bench.new_publisher(replace(bench.settings, max_backlog=2, wake_after=0))
    assert await code_of(bench.send(chat, "m2", via=full)) == "overloaded"
    assert [wake.seq for wake in await wakes(bench)] == [0, 1]


async def test_wakes_are_published(bench: Bench) -> None:
    """A wake goes out on the partition's control channel, as the bytes of the wake log."""
    pubsub = bench.client.pubsub()
    await pubsub.ssubscribe(PART.control)
    chat = await bench.chat()
    await bench.send(chat, "m1")
    received: list[bytes] = []
    async with asyncio.timeout(HANGS_AFTER):
        while len(received) < 2:
            found = await pubsub.get_message(ignore_subscribe_messages=True, timeout=0.05)
            received += [found["data"]] if found else []
    await pubsub.aclose()
    assert received == [fields[b"e"] for _, fields in await bench.client.xrange(PART.wakes)]


async def test_wakes_after_one(bench: Bench) -> None:
    """The wake log gives what came after a wake, so many at the most, and knows its last one."""
    log = bench.wakes()
    assert await log.last(0) == 0
    chats = [await bench.chat("ann", f"user {n}") for n in range(5)]
    every = await wakes(bench)
    assert [wake.room_id for wake in every] == [chat.id for chat in chats]
    assert await log.since(0, log.counter(every[1]), 2) == every[2:4]
    assert await log.last(0) == log.counter(every[-1])
    assert await log.since(0, await log.last(0), 10) == []


async def test_a_wake_that_nobody_can_read(bench: Bench) -> None:
    """A wake of a later version does not keep a gateway from those around it."""
    await bench.chat("ann", "bob")
    [first] = await wakes(bench)
    place = counter_of(first.id) + 1
    await bench.client.xadd(PART.wakes, {"e": msgspec.msgpack.encode([2, "later"])}, f"{place}-0")
    await bench.client.hincrby(PART.record, "counter", 1)
    await bench.chat("ann", "cyd")
    users = [wake.body.user2 for wake in await wakes(bench) if isinstance(wake.body, Wake)]
    assert users == ["bob", "cyd"]


async def test_the_wake_log_is_capped(bench: Bench) -> None:
    """The wake log holds the last 10,000 wakes and no more."""
    await bench.reopen(2, 20_000)
    async with bench.client.pipeline(transaction=False) as pipeline:
        for n in range(1, 10_001):
            pipeline.xadd(PART.wakes, {"e": b"old"}, f"{n}-0")
        await pipeline.execute()
    await bench.chat()
    assert await bench.client.xlen(PART.wakes) == 10_000
    [(oldest, _)] = await bench.client.xrange(PART.wakes, count=1)
    assert oldest == b"2-0"
    assert await bench.wakes().last(0) == 20_001


async def test_both_users_hold_a_chat(bench: Bench) -> None:
    """A chat is found by either of its users from its making on, and by nobody else."""
    one, two = await bench.chat("ann", "bob"), await bench.chat("cyd", "ann")
    await bench.make("ann")
    assert await bench.rooms.held_chats("ann") == sorted([one.key, two.key])
    assert await bench.rooms.held_chats("bob") == [one.key]
    assert await bench.rooms.held_chats("cyd") == [two.key]
    assert await bench.rooms.held_chats("dan") == []
    assert await bench.rooms.held_chats("bob", "cyd", "dan") == sorted([one.key, two.key])


async def test_a_quiet_chat_is_held_no_more(bench: Bench) -> None:
    """A chat that left the broker is held by neither user, until it is opened again."""
    chat = await bench.chat()
    await bench.owner.committed(0, 1, 1, {}, [chat.key])
    assert await bench.evict() == 1
    assert [await bench.rooms.held_chats(user) for user in ("ann", "bob")] == [[], []]
    seen = await bench.rooms.find(chat.key)
    assert isinstance(seen, NotHeld)
    assert await bench.rooms.open(chat, 1000, seen)
    assert [await bench.rooms.held_chats(u) for u in ("ann", "bob")] == [[chat.key], [chat.key]]
    found = await bench.rooms.find(chat.key)
    assert isinstance(found, HeldRoom)
    assert (found.room, found.room.users) == (chat, ("ann", "bob"))
    assert found.idle > 1_000_000


async def test_idle_counts_from_the_last_event(bench: Bench) -> None:
    """What `find` says of a chat is how long ago its last event was."""
    chat = await bench.chat()
    await asyncio.sleep(0.05)
    found = await bench.rooms.find(chat.key)
    assert isinstance(found, HeldRoom)
    assert found.idle > 0.04
    before = time.monotonic()
    await bench.send(chat, "m1")
    later = await bench.rooms.find(chat.key)
    assert isinstance(later, HeldRoom)
    # From the making of the chat it would be 50 ms more.
    assert later.idle < time.monotonic() - before + 0.04


async def test_deletions_are_in_the_log(bench: Bench) -> None:
    """A deletion takes a place, and whoever reads the log learns which places are gone."""
    chat = await bench.chat()
    sent = await bench.fill(chat, 3)
    deleted = await delete(bench, chat, sent[1])
    assert deleted.seq == 4
    part = await bench.logs.read_log(chat.key, lowest=2, limit=9)
    assert part is not None
    assert [event.seq for event in part.events] == [2, 3, 4]
    assert part.events[2].body == MessageDeleted("ann", sent[1].id, 2)
    assert part.gone == {2}
    again = await delete(bench, chat, sent[1])
    assert (again.seq, again.duplicate) == (4, True)


async def test_deletions_stay_until_they_are_stored(bench: Bench) -> None:
    """A deletion of what the log has no more is known until SQL has it, and then forgotten."""
    chat = await bench.chat()
    [first] = await bench.fill(chat, 1)
    await bench.fill_more(chat, 110)
    await bench.owner.committed(0, 1, 112, {chat.key: Head(chat.id, 111)}, [])
    assert [event.seq for event in await bench.log(chat)] == list(range(12, 112))
    await delete(bench, chat, first)
    await bench.owner.committed(0, 1, 112, {chat.key: Head(chat.id, 111)}, [])
    assert await gone(bench, chat) == {1}
    await bench.owner.committed(0, 1, 113, {chat.key: Head(chat.id, 112)}, [])
    assert await gone(bench, chat) == frozenset()


async def test_deletions_stay_while_the_log_has_the_message(bench: Bench) -> None:
    """A stored deletion of a message that the log still holds is known with it."""
    chat = await bench.chat()
    [first] = await bench.fill(chat, 1)
    await delete(bench, chat, first)
    await bench.owner.committed(0, 1, 3, {chat.key: Head(chat.id, 2)}, [])
    assert await gone(bench, chat) == {1}


async def test_a_dropped_chat_is_gone(bench: Bench) -> None:
    """A deleted chat takes nothing more, is not found, and nothing is left of it to list."""
    chat = await bench.chat()
    await bench.send(chat, "m1")
    await drop(bench, chat)
    assert await code_of(bench.send(chat, "m2")) == "not_found"
    found = await bench.rooms.find(chat.key)
    assert isinstance(found, NotHeld)
    assert found.deleted
    assert await bench.logs.read_tail(chat.key, "ann") is None


async def test_what_follows_a_drop_in_one_tick_is_refused(bench: Bench) -> None:
    """Of sends that go to the broker in one call, those behind a drop are not_found."""
    chat = await bench.chat()
    before = bench.publisher.send(chat, "ann", "m1", MessagePosted("ann", "x", "m1"))
    dropping = bench.publisher.send(chat, "", "drop", RoomDeleted(""))
    behind = bench.publisher.send(chat, "ann", "m2", MessagePosted("ann", "x", "m2"))
    assert ((await before).seq, (await dropping).seq) == (1, 2)
    assert await code_of(behind) == "not_found"


async def test_the_next_chat_is_another(bench: Bench) -> None:
    """After a drop the pair's next chat has a new id and nothing of the old one."""
    old = await bench.chat()
    sent = await bench.fill(old, 3)
    await delete(bench, old, sent[0])
    await drop(bench, old)
    new = await bench.chat()
    assert new.id > old.id
    assert (new.key, new.head, await bench.log(new), await gone(bench, new)) == (
        old.key,
        0,
        [],
        frozenset(),
    )
    assert await code_of(bench.send(old, "late")) == "not_found"
    assert (await bench.send(new, "m1")).seq == 1
    assert await bench.rooms.held_chats("bob") == [new.key]


async def test_a_message_id_of_a_dropped_chat_is_free(bench: Bench) -> None:
    """A clientMsgId that was used in a deleted chat is a new message in the pair's next one."""
    old = await bench.chat()
    before = await bench.send(old, "m1")
    await drop(bench, old)
    new = await bench.chat()
    after = await bench.send(new, "m1")
    assert not after.duplicate
    assert after.id != before.id
    assert [event.seq for event in await bench.log(new)] == [1]


async def test_a_late_word_of_the_old_chat_trims_nothing_of_the_new(bench: Bench) -> None:
    """What is committed of a deleted chat does not count for the one made under its key."""
    old = await bench.chat()
    await bench.fill_more(old, 150)
    await drop(bench, old)
    new = await bench.chat()
    await asyncio.gather(*(bench.send(new, f"new-{n}") for n in range(120)))
    # SQL has the old chat's messages, and nothing of the new one.
    await bench.owner.committed(0, 1, 151, {old.key: Head(old.id, 150)}, [old.key])
    assert [event.seq for event in await bench.log(new)] == list(range(1, 121))


@pytest.mark.parametrize("way", ["ann", "bob"])
async def test_tail_is_what_sql_may_lack(bench: Bench, way: str) -> None:
    """A tail has what was not committed, oldest first, over any number of reads, and the cursor."""
    chat = await bench.chat()
    await bench.fill_more(chat, 350)
    await bench.owner.committed(0, 1, 51, {}, [])
    tail = await bench.logs.read_tail(chat.key, way)
    assert tail is not None
    assert list(tail.unread) == ([] if way == "ann" else list(range(350, 50, -1)))
    assert (tail.below, tail.last and tail.last.seq) == (51, 350)
    assert (tail.room_id, tail.floor, tail.cursor) == (chat.id, 0, None)
