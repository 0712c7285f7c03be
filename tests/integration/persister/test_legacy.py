"""Data of builds without formats: what a partition's owner does with it before it opens."""

from typing import Any

from shared import codec
from shared.model.events import Event
from shared.model.formats import LEGACY
from shared.model.log_events import MessagePosted
from shared.model.rooms import Room
from tests.support.stage import Stage


async def as_before_formats(stage: Stage, room: Room) -> int:
    """Let SQL say that the broker's data is older, and nothing be in the new keys; the position."""
    await stage.server.flush()
    await stage.database.run("UPDATE partitions SET format = ?", LEGACY)
    number = stage.keys.number_of(room.key)
    query = "SELECT position FROM partitions WHERE number = ?"
    return int(await stage.database.value(query, number))


async def test_what_was_set_aside_stays_whatever_else_is(stage: Stage) -> None:
    """Dead letters of before are kept, also where an entry that waits has to be set aside too.

    What is around that entry is stored, and nothing is left under old names but the record.
    """
    async with stage.storing():
        room = await stage.make()
        await stage.send(room, "stored")
        await stage.all_stored(room, 1)
    at = await as_before_formats(stage, room)
    number, admin = stage.keys.number_of(room.key), stage.server.admin
    old: str = f"{{{number}}}:"
    record = f"{old}room:{room.key}"
    body = MessagePosted("ann", "waiting", "waiting")
    waiting = codec.encode(Event(LEGACY, room.id, (at + 2) << 10 | number, 2, 1, 1000, body))
    set_aside: dict[str, Any] = {"r": room.key, "e": b"early", "why": "refused"}
    await admin.xadd(f"{old}dead", set_aside, "1-0")
    await admin.xadd(f"{old}stream", {"nobody can read this": record}, f"{at + 1}-0")
    await admin.xadd(f"{old}stream", {waiting: record}, f"{at + 2}-0")
    await admin.hset(f"{old}room:r:x:partition", "name", "x:partition")
    async with stage.storing():
        await stage.all_stored(room, 2)
    dead = await admin.xrange(stage.keys[number].dead)
    assert [(place, fields[b"e"]) for place, fields in dead] == [
        (b"1-0", b"early"),
        (f"{at + 1}-0".encode(), b"nobody can read this"),
    ]
    assert [name for _, name, _ in await stage.stored(room)] == ["stored", "waiting"]
    assert await admin.keys(f"{old}*") == [f"{old}partition".encode()]
