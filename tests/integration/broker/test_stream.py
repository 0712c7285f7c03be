"""Reading partition streams, and the dead letters beside them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared import codec
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.partitions.rows import Entry, unpack_row
from shared.broker.partitions.stream import DeadLetters, StreamReader
from shared.model.formats import NEWEST
from tests.integration.broker.bench import KEYS, PART, Bench
from tests.support.waiting import HANGS_AFTER

TWO = Keyspace("bench", 2)


@pytest.fixture
async def reader(bench: Bench) -> AsyncIterator[StreamReader]:
    """A reader that waits for ten seconds."""
    made = StreamReader(bench.server.url, KEYS, block=10)
    yield made
    await made.close()


async def test_entries_in_order(bench: Bench, reader: StreamReader) -> None:
    """A reader gets the entries after its position, with the room of each, in order."""
    one, two = await bench.make("one"), await bench.make("two")
    await bench.send(one, "m1")
    await bench.send(two, "m2")
    found = await reader.read({0: 1}, 100)
    assert [(entry.counter, entry.room_key) for entry in found[0]] == [
        (2, "r:two"),
        (3, "r:one"),
        (4, "r:two"),
    ]
    assert [codec.decode(entry.data).seq for entry in found[0]] == [0, 1, 1]
    assert [entry.counter for entry in (await reader.read({0: 1}, 2))[0]] == [2, 3]
    assert await reader.range(0, 1, 2) == found[0][:2]
    assert await reader.range(0, 4, 2) == []


async def test_waiting_ends_with_the_first_entry(bench: Bench) -> None:
    """A reader of several partitions waits until one has something, and says which."""
    reader = StreamReader(bench.server.url, TWO, block=10)
    reading = asyncio.create_task(reader.read({0: 0, 1: 0}, 100))
    await asyncio.wait([reading], timeout=0.05)
    assert not reading.done()
    await bench.client.xadd(TWO[1].stream, {"x": "y"}, "1-0")
    async with asyncio.timeout(HANGS_AFTER):
        assert list(await reading) == [1]
    await reader.close()


async def test_nothing_came(bench: Bench, reader: StreamReader) -> None:
    """A reader that waited in vain gets nothing, and no error."""
    assert await reader.read({0: 0}, 100, block=0.001) == {}
    assert await bench.stream() == []


async def test_poison_is_read(bench: Bench, reader: StreamReader) -> None:
    """Entries that no gateway wrote are read as they are, whatever they hold."""
    rows = ({"x": "y"}, {b"\xff": b"\xff\xfe"}, {"": ""}, {"a": "1", "b": "2", "c": "3"})
    for counter, fields in zip((1, 2, 3, 5), rows, strict=True):
        await bench.client.xadd(PART.stream, fields, f"{counter}-0")
    entries = await reader.range(0, 0, 10)
    assert [(entry.counter, entry.data) for entry in entries] == [
        (1, b"x"),
        (2, b"\xff"),
        (3, b""),
        (4, b"b"),
        (5, b"c"),
    ]


async def test_a_row_of_a_later_format_is_kept_whole(bench: Bench, reader: StreamReader) -> None:
    """A row of a format that this build does not know is one entry, with all that is in it."""
    row = {"format": NEWEST + 1, "a": "1", "b": "2"}
    await bench.client.xadd(PART.stream, row, "3-0")
    [entry] = await reader.range(0, 0, 10)
    assert (entry.counter, entry.room_key, entry.whole_row) == (3, "", True)
    assert unpack_row(entry.data) == [b"format", b"%d" % (NEWEST + 1), b"a", b"1", b"b", b"2"]


async def test_rows_of_earlier_formats(bench: Bench, reader: StreamReader) -> None:
    """Rows without a format are events and their rooms in turn; in the first builds, one event."""
    room = PART.room("r:one")
    await bench.client.xadd(PART.stream, {"e": "event", "r": room}, "1-0")
    await bench.client.xadd(PART.stream, {"event 2": room, "event 3": room}, "3-0")
    assert await reader.range(0, 0, 10) == [
        Entry(1, "r:one", b"event"),
        Entry(2, "r:one", b"event 2"),
        Entry(3, "r:one", b"event 3"),
    ]


async def test_events_that_were_sent_together(bench: Bench, reader: StreamReader) -> None:
    """Sends of one call are read as single events, from any of them on, and found by their ids."""
    one, two = await bench.make("one"), await bench.make("two")
    sends = [bench.send(room, f"m{n}") for n in range(10) for room in (one, two)]
    accepted = sorted([reply.id for reply in await asyncio.gather(*sends)])
    assert await bench.client.xlen(PART.stream) < 2 + len(sends)
    for most in (1, 5, 100):
        assert [codec.decode(entry.data).id for entry in await everything(reader, most)] == accepted
    for position in range(3, 23):
        found = await reader.range(0, position - 1, 1)
        assert codec.decode(found[0].data).id == accepted[position - 3]
    for event_id in accepted:
        found_event = await bench.rooms.event(event_id)
        assert found_event is not None
        assert found_event[1].id == event_id


async def everything(reader: StreamReader, most: int) -> list[Entry]:
    """All entries after the creation of two rooms, as a persister reads them."""
    entries: list[Entry] = []
    while found := await reader.read({0: entries[-1].counter if entries else 2}, most, block=0):
        entries += found[0]
    return entries


async def test_dead_letters(bench: Bench) -> None:
    """A dead letter is kept once with its reason, listed by place, and forgotten one by one."""
    letters = DeadLetters(bench.client, TWO)
    for number, counter in ((1, 5), (0, 7), (0, 9), (0, 7)):
        await letters.add(number, Entry(counter, "r:größe", b"\xff\x00"), f"because {counter}")
    found = await letters.all()
    assert [(letter.partition, letter.entry_id) for letter in found] == [
        (0, "7-0"),
        (0, "9-0"),
        (1, "5-0"),
    ]
    assert found[0].entries == [Entry(7, "r:größe", b"\xff\x00")]
    assert found[0].reason == "because 7"
    await letters.remove(found[0])
    assert [letter.entry_id for letter in await letters.all()] == ["9-0", "5-0"]
    assert await bench.client.exists(TWO[1].dead)
