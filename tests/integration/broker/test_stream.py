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
    for counter, fields in enumerate(
        [{"x": "y"}, {"r": b"\xff\xfe", "e": b"\xff"}, {"e": b""}, {"r": "elsewhere"}], 1
    ):
        await bench.client.xadd(PART.stream, fields, f"{counter}-0")
    entries = await reader.range(0, 0, 10)
    assert [(entry.counter, entry.data) for entry in entries] == [
        (1, b""),
        (2, b"\xff"),
        (3, b""),
        (4, b""),
    ]


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
