"""Rooms by key: the broker first, then SQL, opened again where only SQL had it."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.rooms.store.chat_list import ChatList
from gateway.rooms.store.directory import Directory
from gateway.rooms.store.opener import RoomOpener
from gateway.rooms.store.pages.chat_pages import ChatPages
from shared.broker.rooms.publisher import Publisher
from shared.broker.rooms.send import Accepted
from shared.errors import ChatError
from shared.model.events import RoomCreated
from shared.model.log_events import MessagePosted
from shared.storage.chats import ChatReader
from shared.storage.engine import open_engine
from shared.storage.names import NameReader
from shared.storage.reader import Reader
from tests.support.plans import plans_of
from tests.support.stage import Stage


def second_gateway(stage: Stage, limit: int = 100_000) -> tuple[Directory, Publisher]:
    settings = replace(stage.settings, max_backlog=limit)
    publisher = Publisher(stage.server.pipe(), stage.keys, stage.fence, settings)
    directory = Directory(stage.room_broker(most=limit), stage.reader)
    RoomOpener(publisher, directory)
    return directory, publisher


def without_database(stage: Stage, tmp_path: Path) -> tuple[Directory, Publisher]:
    reader = Reader(open_engine(f"sqlite+aiosqlite:///{tmp_path}/nowhere/x.db", writes=False))
    directory = Directory(stage.rooms, reader)
    RoomOpener(stage.publisher, directory)
    return directory, stage.publisher


async def test_one_winner(stage: Stage) -> None:
    """Of 50 who make a room at once through two gateways, one does and the others are told."""
    directories = [second_gateway(stage)[0], stage.directory]

    async def make(n: int) -> str:
        try:
            room = await directories[n % 2].create(
                RoomCreated("room", "r:general", "general", "", f"user {n}")
            )
        except ChatError as error:
            return error.code
        return room.creator

    async with stage.storing():
        outcomes = await asyncio.gather(*map(make, range(50)))
        await stage.trimmed()
    [creator] = [outcome for outcome in outcomes if outcome != "room_exists"]
    assert await stage.database.rows("SELECT creator FROM rooms") == [(creator,)]


async def test_name_is_taken_for_good(stage: Stage) -> None:
    """A name is taken while its room is held, after it went quiet, and after a fence."""
    async with stage.storing(ROOM_IDLE="0.1"):
        room = await stage.make()
        with pytest.raises(ChatError, match="exists"):
            await stage.make()
        await stage.gone_quiet(room)
        with pytest.raises(ChatError, match="exists"):
            await stage.make()
        await stage.server.flush()
        await stage.in_epoch(2)
        with pytest.raises(ChatError, match="exists"):
            await stage.make()
    assert await stage.database.value("SELECT count(*) FROM rooms") == 1


async def test_quiet_room_goes_on(stage: Stage) -> None:
    """A room that went quiet is found again as it was, and its numbers go on without a gap."""
    async with stage.storing(ROOM_IDLE="0.1"):
        room = await stage.make()
        places = []
        for n in range(4):
            places += [(await stage.send(room, f"{n}-{m}")).seq for m in range(3)]
            await stage.gone_quiet(room)
        found = await stage.directory.room(room.key)
        assert found is not None
        assert (found.id, found.head, found.creator) == (room.id, 12, "ann")
        assert places == list(range(1, 13))
        await stage.all_stored(room, 12)
        prevs = await stage.database.rows("SELECT prev FROM events ORDER BY seq")
        assert prevs == [(n,) for n in range(12)]


async def test_sends_keep_their_order_while_a_room_is_opened(stage: Stage) -> None:
    """Messages to a room that must be opened first take their places in the order of the calls."""
    async with stage.storing(ROOM_IDLE="0.1"):
        room = await stage.make()
        for round_ in range(5):
            await stage.gone_quiet(room)
            sends = []
            for n in range(60):
                sends.append(asyncio.ensure_future(stage.send(room, f"{round_}-{n}")))
                await asyncio.sleep(0.0002)
            places = [(await sent).seq for sent in sends]
            assert places == sorted(places)


async def test_activity_and_eviction_at_once(stage: Stage) -> None:
    """With rooms leaving the broker all the time, every message has its place, and once."""
    # Quieter than a persister may be told to wait for, and swept without a pause.
    settings = replace(stage.settings, room_idle=0.001)
    owner = stage.partition_broker(settings)
    evicted = 0

    async def sweep() -> None:
        nonlocal evicted
        while True:
            for number in range(stage.partitions):
                evicted += await owner.evict_idle(number)
            await asyncio.sleep(0.001)

    async with stage.storing(BATCH_AGE="0"):
        sweeping = asyncio.create_task(sweep())
        room = await stage.make()
        gateways = [stage.publisher, second_gateway(stage)[1]]
        sent: list[Accepted] = []
        while len(sent) < 150 or evicted < 10:  # however slow the machine is
            n = len(sent)
            body = MessagePosted("ann", "x", f"m{n}")
            sends = gateways[n % 2]
            try:
                sent.append(await sends.send(room, "ann", f"m{n}", body))
            except ChatError as error:
                if not error.retryable:
                    raise
                continue  # the room left the broker again and again meanwhile
            if n % 10 == 0:
                await asyncio.sleep(0.03)
        sweeping.cancel()
        assert [accepted.seq for accepted in sent] == list(range(1, len(sent) + 1))
        await stage.all_stored(room, len(sent))
        rows = await stage.database.rows("SELECT id, prev FROM events ORDER BY seq")
        assert rows == [(accepted.id, accepted.seq - 1) for accepted in sent]


async def test_no_such_room(stage: Stage) -> None:
    """A room that nobody made is None."""
    async with stage.storing():
        assert await stage.directory.room("r:nowhere") is None


async def test_a_room_that_was_lost(stage: Stage) -> None:
    """A room that the broker lost before SQL had it is no room any more: trying again is no use."""
    async with stage.storing():
        pass
    room = await stage.make()
    await stage.server.flush()
    async with stage.storing():
        await stage.in_epoch(2)
        with pytest.raises(ChatError) as caught:
            await stage.send(room, "m1")
    assert (caught.value.code, caught.value.retryable) == ("not_found", False)


async def test_a_message_before_an_entry_that_nobody_can_read(stage: Stage) -> None:
    """A stored message is found while the entry behind it, still unstored, is not readable."""
    async with stage.storing():
        room = await stage.make()
        sent = await stage.send(room, "m1")
        await stage.trimmed()
    part = stage.keys.of(room.key)
    counter = await stage.server.admin.hincrby(part.record, "counter", 1)
    await stage.server.admin.xadd(part.stream, {b"\xc1\x00": part.room(room.key)}, f"{counter}-0")
    place = await stage.directory.messages.locate(sent.id)
    assert place is not None
    assert (place.seq, place.sender) == (sent.seq, "ann")


async def test_database_away(stage: Stage, tmp_path: Path) -> None:
    """While SQL is away, a held room is found, any other answers storage_unavailable."""
    directory, sends = without_database(stage, tmp_path)
    async with stage.storing():
        room = await stage.make()
        body = MessagePosted("ann", "x", "m1")
        assert await directory.room(room.key) == room
        assert (await sends.send(room, "ann", "m1", body)).seq == 1
        for work in (
            directory.room("r:other"),
            directory.create(RoomCreated("room", "r:other", "other", "", "ann")),
        ):
            with pytest.raises(ChatError) as caught:
                await work
            assert (caught.value.code, caught.value.retryable) == ("storage_unavailable", True)


async def test_both_away(stage: Stage, tmp_path: Path) -> None:
    """What is read from SQL while the broker is away is `storage_unavailable` while SQL is, too."""
    reader = Reader(open_engine(f"sqlite+aiosqlite:///{tmp_path}/nowhere/x.db", writes=False))
    directory = Directory(stage.rooms, reader)
    chats = ChatList(stage.rooms, stage.logs, ChatReader(reader), stage.check, stage.fence)
    for work in (
        directory.stored_chat(1024),
        directory.stored_rooms("", 10),
        ChatPages(chats, stage.history, 10).stored_page("ann", 10, None, lambda _: None),
    ):
        with pytest.raises(ChatError) as caught:
            await work
        assert (caught.value.code, caught.value.retryable) == ("storage_unavailable", True)


async def test_a_new_room_of_an_older_gateway(stage: Stage) -> None:
    """A room that a gateway of an older build made is found by any spelling before SQL has it."""
    async with stage.storing() as end:
        await end()
        room = await stage.make("Lobby")
        assert room.key == "r:Lobby"
        for name in ("Lobby", "LOBBY", " lobby "):
            found = await stage.directory.named(name)
            assert found is not None
            assert found.key == room.key
        with pytest.raises(ChatError, match="a room of this name exists"):
            await stage.directory.create(RoomCreated("room", "r:lobby", "LOBBY", "", "bob"))


async def test_names_while_the_database_is_away(stage: Stage, tmp_path: Path) -> None:
    """While SQL is away, a held room is found by its name and by the form of it."""
    directory, _ = without_database(stage, tmp_path)
    async with stage.storing():
        await stage.make("Older")
        await stage.directory.create(RoomCreated("room", "r:newer", "Newer", "", "ann"))
        for name in ("Older", "Newer", "newer"):
            assert await directory.named(name) is not None
        for name in ("OLDER", "nowhere"):
            with pytest.raises(ChatError) as caught:
                await directory.named(name)
            assert (caught.value.code, caught.value.retryable) == ("storage_unavailable", True)


async def test_persister_away_after_a_restart(stage: Stage) -> None:
    """After a restart of the broker nothing is accepted until a persister opened the partitions."""
    async with stage.storing():
        room = await stage.make()
        await stage.trimmed()
    await stage.server.restart()
    for work in (stage.send(room, "m1"), stage.directory.room(room.key), stage.make("other")):
        with pytest.raises(ChatError) as caught:
            await work
        assert (caught.value.code, caught.value.retryable) == ("broker_unavailable", True)
    async with stage.storing():
        assert (await stage.insist(room, "m1")).duplicate is False


@pytest.mark.parametrize("stored", [True, False])
async def test_rooms_by_name(stage: Stage, *, stored: bool) -> None:
    """Rooms are listed by name, whatever its capitals, page by page, new ones too."""
    names = ["b", "a", "größe", "日本", "c d", "Z", "🎈", *(f"room {n:02}" for n in range(20))]
    names.sort(key=str.lower)
    async with stage.storing() as end:
        for name in names[::2]:
            await stage.make(name)
        await stage.trimmed()
        if not stored:
            await end()
        for name in names[1::2]:
            await stage.make(name)
        if stored:
            await stage.trimmed()
        found: list[str] = []
        while page := await stage.directory.rooms(found[-1] if found else "", 4):
            assert len(page) <= 4
            found += [room.name for room in page]
        assert found == names


async def test_backlog(stage: Stage) -> None:
    """At MAX_BACKLOG new rooms and messages are refused as overloaded, retryable."""
    async with stage.storing():
        room = await stage.make()
        await stage.trimmed()
    full, sends = second_gateway(stage, limit=5)
    body = MessagePosted("ann", "x", "m")
    for n in range(5):
        await sends.send(room, "ann", f"m{n}", body)
    part = stage.keys.of(room.key)
    name = next(name for name in "abcdefgh" if stage.keys.of(f"r:{name}") == part)
    other = RoomCreated("room", f"r:{name}", name, "", "ann")
    for work in (sends.send(room, "ann", "m5", body), full.create(other)):
        with pytest.raises(ChatError) as caught:
            await work
        assert (caught.value.code, caught.value.retryable) == ("overloaded", True)


async def test_a_name_is_found_by_an_index(stage: Stage) -> None:
    """SQL finds a name by indexes: it does not read every room, of which there may be millions."""
    names = NameReader(stage.reader)
    async with stage.storing():
        await stage.chat()
        await stage.trimmed()
    await names.rooms(["general"], ["room:general"])  # knows from now on what the database has
    plans = await plans_of(stage.engine, names.rooms(["general"], ["room:general"]))
    assert [plan for plan in plans if "rooms" in plan] == [
        "SEARCH rooms USING INDEX sqlite_autoindex_rooms_1 (key=?)",
        "SEARCH rooms USING INDEX ix_rooms_kind_name_form (kind=? AND name_form=?)",
    ]
