"""Reading partition streams, and the dead letters beside them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared import codec
from shared.broker.keys import PartitionKeys
from shared.broker.stream import DeadLetters, Entry, StreamReader
from tests.integration.broker.bench import PART, Bench


@pytest.fixture
async def reader(bench: Bench) -> AsyncIterator[StreamReader]:
    """A reader that waits for ten seconds."""
    made = StreamReader(bench.server.url, block=10)
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


async def test_waiting_ends_with_the_first_entry(bench: Bench, reader: StreamReader) -> None:
    """A reader of several partitions waits until one has something, and says which."""
    reading = asyncio.create_task(reader.read({0: 0, 7: 0}, 100))
    await asyncio.wait([reading], timeout=0.05)
    assert not reading.done()
    await bench.make()
    async with asyncio.timeout(5):
        assert list(await reading) == [0]


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
    letters = DeadLetters(bench.client, 2)
    for number, counter in ((1, 5), (0, 7), (0, 9), (0, 7)):
        await letters.add(number, Entry(counter, "r:größe", b"\xff\x00"), f"because {counter}")
    found = await letters.all()
    assert [(letter.partition, letter.counter) for letter in found] == [(0, 7), (0, 9), (1, 5)]
    assert (found[0].room_key, found[0].data, found[0].reason) == (
        "r:größe",
        b"\xff\x00",
        "because 7",
    )
    await letters.remove(found[0])
    assert [letter.counter for letter in await letters.all()] == [9, 5]
    assert await bench.client.exists(PartitionKeys(1).dead)
