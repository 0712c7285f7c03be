"""A story about the kind `topic`, run in sources that know it.

It happens against a real server and a real database, in a room and in a direct chat, and what
became of it is printed as JSON.
"""

import asyncio
import json
import secrets
import sys
from pathlib import Path
from typing import Any

from gateway.protocols.announcements import room_announcements
from gateway.protocols.json_frames import JSON
from gateway.protocols.msgpack_frames import MSGPACK
from gateway.protocols.socketio.frames import SOCKETIO
from persister.commands.dead_letters import retry_letters
from persister.writer import Writer
from shared import codec
from shared.broker.partitions.stream import DeadLetters
from shared.command_line import command_line
from shared.model.events import Event
from shared.model.ids import TOP
from shared.model.log_events import BY_ROW
from shared.model.rooms import Room
from shared.storage.engine import open_engine
from tests.integration.gateway.test_hub import Gateway
from tests.support.proxy import Proxy
from tests.support.stage import Stage
from tests.support.valkey import Valkey

REFUSE = """CREATE TRIGGER refuse BEFORE INSERT ON events WHEN new.content = 'refused'
BEGIN SELECT RAISE(ABORT, 'refused here'); END"""


async def change(stage: Stage, room: Room, text: str) -> Event:
    """Let a room be about something else; the event as its log has it."""
    topic: Any = BY_ROW["topic"]
    sent = await stage.publisher.send(room, "7", secrets.token_hex(8), topic("7", text))
    [event] = (await stage.replay.after(room, sent.seq - 1)).events
    return event


def topic_of(room: Any) -> list[Any]:  # noqa: ANN401 - this build's rooms have no topic
    """What a room is about, and since when."""
    return [room.topic, room.topic_seq]


async def in_sql(stage: Stage, room: Room) -> list[Any]:
    """The same in the database."""
    query = "SELECT topic, topic_seq FROM rooms WHERE id = ?"
    return list((await stage.database.rows(query, room.id))[0])


def frames_of(event: Event, room: Room) -> dict[str, list[str]]:
    """What is told of an event, in each format."""
    told = [item.outgoing() for item in room_announcements(event, room, "")]
    return {
        "json": [JSON.encode(item).decode() for item in told],
        "msgpack": [MSGPACK.encode(item).hex() for item in told],
        "socket.io": [SOCKETIO.encode(item).decode() for item in told],
    }


async def in_a_room(stage: Stage, gateway: Gateway) -> dict[str, Any]:
    """It happens in a room that somebody is in; then the room leaves the broker, and comes back."""
    room = await stage.make()
    member = gateway.member()
    local = await member.join(room)
    event = await change(stage, room, "fish")
    received = await member.receive()
    held = await stage.directory.room(room.key)
    record = await stage.server.admin.hgetall(stage.keys.of(room.key).room(room.key))
    await stage.all_stored(room, 1)
    query = "SELECT seq, kind, sender, content FROM events WHERE room_id = ?"
    rows = await stage.database.rows(query, room.id)
    member.leave(local)
    await stage.gone_quiet_at_once(room)
    return {
        "received": received,
        "frames": frames_of(event, room),
        "written": codec.encode(event).hex(),
        "record": {name: record[name.encode()].decode() for name in ("topic", "topic_seq")},
        "rooms": [topic_of(held), topic_of(local.room), topic_of(room.after(event))],
        "rows": rows,
        "sql": await in_sql(stage, room),
        "read_back": (await stage.reader.events(room.id, 0, TOP, 9)).events == [event],
        "opened": topic_of(await stage.directory.room(room.key)),
    }


async def set_aside(stage: Stage) -> dict[str, Any]:
    """SQL refuses it; it is put back where nothing came after it, and where something did."""
    room = await stage.make("set aside")
    told = []
    for topics in (["refused"], ["refused", "birds"]):
        await stage.database.run(REFUSE)
        before = len(await stage.stored(room))
        for text in topics:
            await change(stage, room, text)
        await stage.all_stored(room, before + len(topics))
        voids = [kind for _, _, kind in await stage.stored(room)]
        between = await in_sql(stage, room)
        await stage.database.run("DROP TRIGGER refuse")
        engine = open_engine(stage.database.url, writes=True)
        letters = DeadLetters(stage.client, stage.keys)
        put_back = not (await retry_letters(letters, Writer(engine))).left
        await engine.dispose()
        kinds = [kind for _, _, kind in await stage.stored(room)]
        told.append([voids, between, put_back, kinds, await in_sql(stage, room)])
    return {"dead_letters": told}


async def tell(folder: Path) -> dict[str, Any]:
    """Let all of it happen."""
    async with Valkey() as server:
        stage = Stage(server, folder)
        async with stage.storing(), Proxy(server.port) as channels, Proxy(server.port) as reads:
            gateway = Gateway(stage, channels, reads)
            found = await in_a_room(stage, gateway)
            chat = await stage.chat("7", "ann")
            found["in_chat"] = frames_of(await change(stage, chat, "birds"), chat)
            found |= await set_aside(stage)
            await gateway.close()
        await stage.close()
    return found


if __name__ == "__main__":
    parser = command_line("tests.integration.new_kind.story", __doc__)
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="for its database")
    story = asyncio.run(tell(parser.parse_args().folder))
    sys.stdout.write(json.dumps(story))
