"""Entries that the database refuses: set aside, with their neighbours stored."""

import struct

import msgpack

from persister.batch import make_batch
from persister.commands.dead_letters import list_letters, retry_letters
from persister.writer import Writer
from shared import codec
from shared.broker.partitions.keyspace import PartitionKeys
from shared.broker.partitions.rows import Entry
from shared.broker.partitions.stream import DeadLetters
from shared.broker.rooms.send import Accepted
from shared.model.events import Event
from shared.model.formats import NEWEST
from shared.model.log_events import HistoryCleared, MessagePosted
from shared.model.rooms import Room
from shared.storage.engine import open_engine
from tests.support.process import run
from tests.support.stage import Stage
from tests.support.waiting import eventually


def part_of(stage: Stage, room: Room) -> PartitionKeys:
    return stage.keys.of(room.key)


async def inject(stage: Stage, room: Room, data: bytes) -> int:
    """Put an entry into the room's partition as no gateway would, with the next number."""
    part = part_of(stage, room)
    counter = int(await stage.server.admin.hincrby(part.record, "counter", 1))
    await stage.server.admin.xadd(
        part.stream, {"format": NEWEST, data: part.room(room.key)}, f"{counter}-0"
    )
    return counter


async def move_head(stage: Stage, room: Room, head: int) -> None:
    """Let a room's record say that it stands elsewhere."""
    record = part_of(stage, room).room(room.key)
    state = list(struct.unpack("<8d", await stage.server.admin.hget(record, "state")))
    state[2] = head
    await stage.server.admin.hset(record, "state", struct.pack("<8d", *state))


def forged(room: Room, seq: int, msg_id: str, body: object = None) -> bytes:
    """A message for a place of a room, with an id of its own."""
    said = body if isinstance(body, HistoryCleared) else MessagePosted("ann", "forged", msg_id)
    return codec.encode(Event(NEWEST, room.id, 2**50 + seq, seq, seq - 1, 1000, said))


async def around(stage: Stage, room: Room, *poison: bytes) -> list[Accepted]:
    """Ten messages, the poison, ten messages, all in one batch where that is possible."""
    sent = [await stage.send(room, f"before {n}") for n in range(10)]
    for data in poison:
        await inject(stage, room, data)
    return sent + [await stage.send(room, f"after {n}") for n in range(10)]


async def dead(stage: Stage) -> list[tuple[int, bytes]]:
    found = []
    for number in range(stage.partitions):
        rows = await stage.server.admin.xrange(stage.keys[number].dead)
        found += [(int(row.split(b"-")[0]), fields[b"why"]) for row, fields in rows]
    return found


async def messages(stage: Stage, room: Room) -> list[tuple[int, str]]:
    rows = await stage.stored(room)
    return [(seq, msg_id) for seq, msg_id, kind in rows if kind == "message"]


async def command(stage: Stage, action: str) -> tuple[int, list[str]]:
    """What an operator types: exit code and lines."""
    code, out, err = await run("persister", "dead-letter", action, env=stage.env)
    assert "Traceback" not in err
    return code, out.splitlines()


async def admin(stage: Stage, action: str) -> tuple[int, list[str]]:
    """What the command does, without the start of a process."""
    lines: list[str] = []
    letters = DeadLetters(stage.client, stage.keys)
    if action == "list":
        await list_letters(letters, lines.append)
        return 0, lines
    engine = open_engine(stage.database.url, writes=True)
    retried = await retry_letters(letters, Writer(engine))
    await engine.dispose()
    lines = [*retried.refused, f"{retried.stored} stored, {retried.left} left"]
    return 1 if retried.left else 0, lines


async def test_garbage(stage: Stage) -> None:
    """Bytes nobody can read are set aside; everything before and after them is stored."""
    garbage = [b"", b"\xff\xff", codec.encode(Event(9, 1, 1, 1, 0, 0, HistoryCleared("x")))]
    async with stage.storing():
        room = await stage.make()
        async with stage.database.locked():  # so that all of it is one batch
            sent = await around(stage, room, *garbage)
        await stage.all_stored(room, 20)
        await stage.trimmed()
        assert [seq for seq, _ in await messages(stage, room)] == [a.seq for a in sent]
        assert len(await dead(stage)) == 3
        code, lines = await admin(stage, "list")
        assert code == 0
        assert len(lines) == 4
        assert all("r:general  unreadable, " in line for line in lines[:2])
        assert lines[3] == "3 dead letters"
        assert await admin(stage, "retry") != (0, [])
        assert len(await dead(stage)) == 3


async def test_garbage_in_a_text(stage: Stage) -> None:
    """An envelope whose text is no UTF-8 is set aside like any other garbage."""
    async with stage.running() as persister:
        room = await stage.make()
        poison = forged(room, 11, "x").replace(b"forged", b"\xff\xfe\xfd\xfc\xfb\xfa")
        sent = await around(stage, room, poison)
        await stage.all_stored(room, 20)
        await stage.trimmed()
        assert [seq for seq, _ in await messages(stage, room)] == [a.seq for a in sent]
        assert len(await dead(stage)) == 1
        assert not persister.ended


REFUSE = """CREATE TRIGGER refuse_{verb} BEFORE {verb} ON events WHEN new.content = 'forged'
BEGIN SELECT RAISE(ABORT, 'refused here'); END"""
REFUSE_ROOMS = """CREATE TRIGGER refuse_rooms BEFORE INSERT ON rooms
BEGIN SELECT RAISE(ABORT, 'refused here'); END"""


async def test_taken_message_id(stage: Stage) -> None:
    """A second message with a stored clientMsgId is taken back: a void, and everybody is told."""
    async with stage.storing():
        room = await stage.make()
        await stage.send(room, "m1")
        await inject(stage, room, forged(room, 100, "m1"))
        await stage.all_stored(room, 3)
        await stage.trimmed()
        assert await stage.stored(room) == [
            (1, "m1", "message"),
            (2, None, "delete"),
            (100, None, "void"),
        ]
        assert await dead(stage) == []


async def test_retry_stores_where_the_void_is(stage: Stage) -> None:
    """An entry that is no longer refused is stored at its place by a retry, and forgotten."""
    async with stage.storing():
        room = await stage.make()
        await stage.send(room, "m1")
        await stage.all_stored(room, 1)
        for verb in ("INSERT", "UPDATE"):
            await stage.database.run(REFUSE.format(verb=verb))
        await inject(stage, room, forged(room, 100, "m2"))
        await stage.all_stored(room, 2)
        assert await stage.stored(room) == [(1, "m1", "message"), (100, None, "void")]
        [(_, reason)] = await dead(stage)
        assert b"refused here" in reason
        code, lines = await command(stage, "list")
        assert (code, lines[-1]) == (0, "1 dead letter")
        assert "r:general  MessagePosted seq 100  refused here" in lines[0]
        assert "forged" not in lines[0]
        code, lines = await command(stage, "retry")
        assert code == 1
        assert "still refused: refused here" in lines[0]
        assert lines[-1] == "0 stored, 1 left"
        for verb in ("INSERT", "UPDATE"):
            await stage.database.run(f"DROP TRIGGER refuse_{verb}")
        assert await command(stage, "retry") == (0, ["1 stored, 0 left"])
        assert await stage.stored(room) == [(1, "m1", "message"), (100, "m2", "message")]
        epochs = await stage.database.rows("SELECT DISTINCT epoch FROM events")
        assert epochs == [(1,)]
        assert await dead(stage) == []
        assert await admin(stage, "retry") == (0, ["0 stored, 0 left"])


async def test_a_retry_that_was_cut_off(stage: Stage) -> None:
    """An entry that an earlier retry stored, and did not live to forget, is forgotten."""
    async with stage.storing():
        room = await stage.make()
        for verb in ("INSERT", "UPDATE"):
            await stage.database.run(REFUSE.format(verb=verb))
        await inject(stage, room, forged(room, 100, "m2"))
        await stage.all_stored(room, 1)
        for verb in ("INSERT", "UPDATE"):
            await stage.database.run(f"DROP TRIGGER refuse_{verb}")
        [letter] = await DeadLetters(stage.client, stage.keys).all()
        engine = open_engine(stage.database.url, writes=True)
        await Writer(engine).restore(make_batch(letter.entries, 0))
        await engine.dispose()
        assert await admin(stage, "retry") == (0, ["1 stored, 0 left"])
        assert await stage.stored(room) == [(100, "m2", "message")]
        assert await dead(stage) == []


async def test_a_retry_of_a_new_room_that_was_cut_off(stage: Stage) -> None:
    """A room that an earlier retry stored, without forgetting its letter, is no letter for ever."""
    async with stage.storing():
        earlier = await stage.make("earlier")
        await stage.send(earlier, "m1")
        await stage.all_stored(earlier, 1)
        await stage.database.run(REFUSE_ROOMS)
        room = await stage.make()
        await eventually(lambda: dead(stage))
        await stage.database.run("DROP TRIGGER refuse_rooms")
        [letter] = await DeadLetters(stage.client, stage.keys).all()
        engine = open_engine(stage.database.url, writes=True)
        await Writer(engine).restore(make_batch(letter.entries, 0))
        await engine.dispose()
        assert await admin(stage, "retry") == (0, ["1 stored, 0 left"])
        assert await stage.database.rows("SELECT name FROM rooms ORDER BY id") == [
            ("earlier",),
            (room.name,),
        ]
        assert await dead(stage) == []


async def test_taken_place(stage: Stage) -> None:
    """A message for a place that is taken is set aside, and what has the place keeps it."""
    async with stage.storing():
        room = await stage.make()
        sent = await around(stage, room, forged(room, 5, "intruder"))
        await stage.all_stored(room, 20)
        await stage.trimmed()
        assert await messages(stage, room) == [
            *((n + 1, f"before {n}") for n in range(10)),
            *((n + 11, f"after {n}") for n in range(10)),
        ]
        assert len(sent) == 20
        assert len(await dead(stage)) == 1


async def test_retry_loses_nothing(stage: Stage) -> None:
    """An entry whose place another one has is not forgotten by a retry: it was not stored."""
    async with stage.storing():
        room = await stage.make()
        await stage.send(room, "m1")
        await stage.all_stored(room, 1)
        await inject(stage, room, forged(room, 1, "intruder"))
        await stage.trimmed()
        assert len(await dead(stage)) == 1
        code, lines = await admin(stage, "retry")
        assert await messages(stage, room) == [(1, "m1")]
        assert (code, lines[-1]) == (1, "0 stored, 1 left")
        assert len(await dead(stage)) == 1


async def test_deleted_meanwhile(stage: Stage) -> None:
    """A dead letter from before a clearing is not brought back by a retry."""
    async with stage.storing():
        room = await stage.make()
        await stage.send(room, "m1")
        await inject(stage, room, forged(room, 2, "m1"))
        await stage.all_stored(room, 2)
        await move_head(stage, room, 2)
        await stage.clear(room)
        await stage.all_stored(room, 3)
        await stage.database.run("UPDATE events SET client_msg_id = 'other' WHERE seq = 1")
        code, _ = await admin(stage, "retry")
        assert code == 0
        query = "SELECT count(*) FROM events WHERE content IS NOT NULL"
        assert await stage.database.value(query) == 0


async def test_numbers_no_database_holds(stage: Stage) -> None:
    """An entry with numbers beyond 64 bits is set aside, and its neighbours are stored."""
    async with stage.storing():
        room = await stage.make()
        event = Event(
            NEWEST, room.id, 2**64 - 1, 2**64 - 1, 0, 1000, MessagePosted("ann", "x", "x")
        )
        await around(stage, room, codec.encode(event))
        await stage.all_stored(room, 20)
        await stage.trimmed()
        assert len(await messages(stage, room)) == 20
        assert len(await dead(stage)) == 1


async def test_many_poisons(stage: Stage) -> None:
    """Any number of refused entries among good ones leaves every good one stored, in order."""
    async with stage.storing():
        room = await stage.make()
        async with stage.database.locked():
            for n in range(60):
                await stage.send(room, f"m{n}")
                if n % 7 == 3:
                    await inject(stage, room, b"garbage")
                if n % 11 == 5:
                    await inject(stage, room, forged(room, n, f"forged {n}"))
        await stage.all_stored(room, 60)
        await stage.trimmed()
        assert await messages(stage, room) == [(n + 1, f"m{n}") for n in range(60)]
        assert len(await dead(stage)) == 14


async def test_a_row_of_a_later_format(stage: Stage) -> None:
    """A row that this build cannot read is set aside whole; what is around it is stored."""
    async with stage.storing():
        room = await stage.make()
        part = part_of(stage, room)
        await stage.send(room, "before")
        row = {b"format": b"%d" % (NEWEST + 1), b"\x99later": b"\xff\x00", b"more": b"of it"}
        counter = int(await stage.server.admin.hincrby(part.record, "counter", 2))
        await stage.server.admin.xadd(part.stream, row, f"{counter}-0")
        await stage.send(room, "after")
        await stage.all_stored(room, 2)
        await stage.trimmed()
    [(_, kept)] = await stage.server.admin.xrange(part.dead)
    words = [word for pair in row.items() for word in pair]
    assert msgpack.unpackb(kept[b"row"], raw=True) == words
    code, lines = await admin(stage, "list")
    assert (code, "unreadable row" in lines[0], lines[-1]) == (0, True, "1 dead letter")
    code, lines = await admin(stage, "retry")  # it stays until a build that can read it tries
    assert (code, lines[-1]) == (1, "0 stored, 1 left")


async def test_a_row_that_can_be_read_by_now(stage: Stage) -> None:
    """A row that was kept whole is stored, event by event, by a build that reads it."""
    async with stage.storing():
        room = await stage.make()
        await stage.send(room, "first")
        await stage.all_stored(room, 1)
    record = part_of(stage, room).room(room.key).encode()
    words = [b"format", b"%d" % NEWEST]
    for seq in (2, 3):
        words += [forged(room, seq, f"m{seq}"), record]
    entry = Entry(99, "", msgpack.packb(words), whole_row=True)
    number = stage.keys.number_of(room.key)
    await DeadLetters(stage.client, stage.keys).add(number, entry, "of a later format")
    assert (await admin(stage, "list"))[1][-1] == "1 dead letter"
    assert await admin(stage, "retry") == (0, ["1 stored, 0 left"])
    assert await messages(stage, room) == [(1, "first"), (2, "m2"), (3, "m3")]
