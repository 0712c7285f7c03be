"""A gateway on a server that a failover left behind: it reads nothing stale there in silence."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from shared.broker.partitions.reading import PartitionReader
from shared.broker.rooms.wakes import WakeLog
from shared.errors import ChatError
from shared.model.ids import TOP
from shared.model.rooms import Room
from tests.support.proxy import Proxy
from tests.support.stage import Stage
from tests.support.valkey import Valkey


class Failover:
    """A gateway that stays where it was, and one that went along to the new server.

    Attributes:
        behind: on the server that was left behind.
        ahead: on the one that leads now, in a later epoch.
        room: a room, and `chat`, a direct chat; with messages on both servers, and with more that
            were said on the new one only, and are stored.
    """

    def __init__(self, behind: Stage, ahead: Stage, room: Room, chat: Room) -> None:
        self.behind = behind
        self.ahead = ahead
        self.room = room
        self.chat = chat


@pytest.fixture
async def failover(server: Valkey, tmp_path: Path) -> AsyncIterator[Failover]:
    """A persister that was led to a replica, which was promoted; the primary goes on alone."""
    async with Valkey() as replica, Proxy(server.port) as way:
        behind, ahead = Stage(server, tmp_path), Stage(replica, tmp_path)
        await replica.follow(server)  # the first replica of a server gives it another replid
        async with behind.storing(REDIS_URL=way.url):
            room, chat = await behind.make(), await behind.chat()
            for place in (room, chat):
                await behind.send(place, "before")
                await behind.all_stored(place, 1)
            await behind.see(chat, "bob", 1)
            await behind.probe.states()
            await replica.follow(server)
            await replica.lead()
            way.switch(replica.port)
            await ahead.in_epoch(2)
            for place in (room, chat):
                await ahead.insist(place, "after")
                await ahead.all_stored(place, 2)
            yield Failover(behind, ahead, room, chat)
        await behind.close()
        await ahead.close()


async def test_a_page_is_whole_or_says_that_it_is_partial(failover: Failover) -> None:
    """Of what was said on the new server a page lacks nothing, unless it says `partial`."""
    history = failover.behind.history
    pages = [
        await history.newest(failover.room, 100),
        await history.after(failover.room, 0, 100),
    ]
    for page in pages:
        assert [item.content for item in page.items] == ["before", "after"]
        assert page.partial  # what the new server has and SQL has not, nobody here can know
    whole = await failover.ahead.history.newest(failover.room, 100)
    assert [item.content for item in whole.items] == ["before", "after"]
    assert not whole.partial


async def test_acts_of_moderation_are_all_there_or_partial(failover: Failover) -> None:
    """Of what was done in a room, a list that may lack what the new server has says `partial`."""
    for stage, partial in ((failover.behind, True), (failover.ahead, False)):
        page = await stage.acts.page(failover.room, TOP, 10)
        assert (page.acts, page.partial) == ([], partial)


async def test_chats_are_not_listed_from_there(failover: Failover) -> None:
    """A list of chats with their unread messages is refused, retryable, rather than out of date."""
    with pytest.raises(ChatError) as refused:
        await failover.behind.chats.list_chats("bob")
    assert (refused.value.code, refused.value.retryable) == ("broker_unavailable", True)
    [chat] = await failover.ahead.chats.list_chats("bob")
    assert chat.unread == 1


def readings(stage: Stage, room: Room, chat: Room) -> dict[str, Callable[[], Awaitable[object]]]:
    """Everything that a gateway reads, and writes."""
    rooms, logs = stage.rooms, stage.logs
    number = stage.keys.number_of(chat.key)
    return {
        "find": lambda: rooms.find(room.key),
        "log": lambda: logs.read_log(room.key, limit=1),
        "tail": lambda: logs.read_tail(chat.key, "bob"),
        "heads": lambda: logs.heads([room.key]),
        "cursors": lambda: stage.cursor_broker.read(chat.key),
        "held chats": lambda: rooms.held_chats("ann", "bob"),
        "new rooms": lambda: rooms.unstored("r:", 10),
        "an event": lambda: rooms.event(number),
        "wakes": lambda: WakeLog(
            PartitionReader(stage.server.pipe(), stage.keys, stage.fence)
        ).last(number),
        "a send": lambda: stage.send(room, "lost"),
        "a mark": lambda: stage.see(chat, "bob", 9),
        "a new room": lambda: stage.make("lost"),
    }


async def test_once_noticed_the_server_is_read_no_more(failover: Failover) -> None:
    """As soon as SQL told of the later epoch, whatever is asked of the old server is refused."""
    behind = failover.behind
    assert await behind.check.confirm()
    for name, ask in readings(behind, failover.room, failover.chat).items():
        with pytest.raises(ChatError) as refused:
            await ask()
        assert refused.value.code == "broker_unavailable", name
    for ask in readings(failover.ahead, failover.room, failover.chat).values():
        await ask()


async def test_partitions_there_count_as_left_behind(failover: Failover) -> None:
    """A gateway that looks at its partitions sees that they are open elsewhere."""
    behind = failover.behind
    await behind.check.confirm()
    states = await behind.probe.states()
    assert [(state.epoch, state.left_behind) for state in states] == [(None, True)] * 2
