"""Direct chats as their users see them: the same from the log as from SQL."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.rooms.store.chat_list import ListedChat
from shared.broker.rooms.send import Accepted
from shared.errors import ChatError
from shared.model.ids import TOP
from shared.model.log_events import MessageDeleted, MessagePosted
from shared.model.rooms import Room
from shared.model.timeline import Message
from tests.support.stage import Stage

few = settings(settings.get_profile("integration"), max_examples=12)
End = Callable[[], Awaitable[None]]
stored_or_not = pytest.mark.parametrize("stored", [True, False], ids=["in SQL", "in the log"])


@pytest.fixture
async def persister(stage: Stage) -> AsyncIterator[End]:
    """A persister, and what ends it."""
    async with stage.storing() as end:
        yield end


async def page(stage: Stage, chat: Room) -> list[Message]:
    """Everything that history shows of a chat."""
    return (await stage.history.newest(chat, 1000)).items


async def seen_at(stage: Stage, chat: Room) -> list[int | None]:
    return [item.seen_at for item in await page(stage, chat)]


async def move_times(stage: Stage, user: str) -> dict[int, int]:
    """When a user's cursor came to be where: by place."""
    part = await stage.logs.read_messages((await stage.chat()).key, "forward", 0, TOP, 1, 1)
    assert part is not None
    return {move.seq: move.at for move in part.changes.moves if move.user == user}


async def only(stage: Stage, user: str) -> ListedChat:
    [listed] = await stage.listed(user)
    return listed


async def summary(stage: Stage, user: str) -> list[tuple[str, int, str | None]]:
    """A list of chats: with whom, how much is unread, what was said last."""
    return [
        (
            " ".join(sorted({*chat.room.users} - {user})),
            chat.unread,
            chat.last_message.content if chat.last_message else None,
        )
        for chat in await stage.listed(user)
    ]


async def test_one_chat_for_a_pair(stage: Stage, persister: End) -> None:
    """Of many who make a pair's chat at once, either way round, one does, and all have it."""
    found = await asyncio.gather(
        *(stage.directory.chat_of(*pair) for pair in [("ann", "bob"), ("bob", "ann")] * 10)
    )
    assert sum(made for _, made in found) == 1
    assert len({room.id for room, _ in found}) == 1
    await stage.trimmed()
    await persister()
    assert await stage.database.value("SELECT count(*) FROM rooms") == 1
    chat = found[0][0]
    assert await stage.directory.chat(chat.id) == chat


@stored_or_not
async def test_a_deleted_message_is_a_tombstone(
    stage: Stage, persister: End, *, stored: bool
) -> None:
    """A deleted message keeps its place in history, and nothing of what it said."""
    chat = await stage.chat()
    sent = [await stage.send(chat, f"m{n}") for n in range(4)]
    await stage.all_stored(chat, 4)
    if not stored:
        await persister()
    await stage.delete(chat, sent[1])
    await stage.send(chat, "after")
    if stored:
        await stage.all_stored(chat, 6)
    shown = [(item.seq, item.content, item.deleted) for item in await page(stage, chat)]
    assert shown == [
        (1, "m0", False),
        (2, "", True),
        (3, "m2", False),
        (4, "m3", False),
        (6, "after", False),
    ]
    rows = await stage.database.rows("SELECT content FROM events WHERE id = ?", sent[1].id)
    assert rows == [(None,)] if stored else rows == [("m1",)]


async def test_tombstones_below_the_log(stage: Stage, persister: End) -> None:
    """A message that only SQL has is a tombstone from the moment its deletion is accepted."""
    chat = await stage.chat()
    first = await stage.send(chat, "m0")
    await asyncio.gather(*(stage.send(chat, f"m{n}") for n in range(1, 130)))
    await stage.all_stored(chat, 130)
    await stage.trimmed()
    await persister()
    assert (await page(stage, chat))[0].content == "m0"
    await stage.delete(chat, first)
    item, _ = (await stage.history.after(chat, 0, 1)).items
    assert (item.seq, item.deleted, item.content) == (1, True, "")
    assert (await page(stage, chat))[0] == item


async def test_where_a_message_stands(stage: Stage, persister: End) -> None:
    """A message is found by its id, whether SQL has it yet or not; a deletion is no message."""
    chat = await stage.chat()
    sent = await stage.send(chat, "m1")
    await stage.trimmed()
    from_sql = await stage.directory.messages.locate(sent.id)
    await persister()
    later = await stage.send(chat, "m2")
    from_stream = await stage.directory.messages.locate(later.id)
    deleted = await stage.delete(chat, later)
    assert from_sql is not None
    assert from_stream is not None
    assert (from_sql.room.id, from_sql.seq, from_sql.sender) == (chat.id, 1, "ann")
    assert (from_stream.room.id, from_stream.seq, from_stream.sender) == (chat.id, 2, "ann")
    assert await stage.directory.messages.locate(deleted.id) is None
    assert await stage.directory.messages.locate(2**52) is None


@stored_or_not
async def test_seen_at_is_when_it_was_first_covered(
    stage: Stage, persister: End, *, stored: bool
) -> None:
    """Each message has the time of the first move that covered it, however far later ones go."""
    chat = await stage.chat()
    await stage.trimmed()
    if not stored:
        await persister()
    for n in range(4):
        await stage.send(chat, f"m{n}")
    await stage.see(chat, "bob", 2)
    await asyncio.sleep(0.005)
    await stage.see(chat, "bob", 3)
    times = await move_times(stage, "bob")
    assert times[2] < times[3]
    if stored:
        await stage.trimmed()
    assert await seen_at(stage, chat) == [times[2], times[2], times[3], None]
    if stored:
        query = "SELECT seen_at FROM events WHERE room_id = ? ORDER BY seq"
        kept = [at for (at,) in await stage.database.rows(query, chat.id)]
        assert kept == [times[2], times[2], times[3], None]


async def test_seen_at_before_and_after_the_commit(stage: Stage, persister: End) -> None:
    """What SQL had before a move was committed is shown as seen, with the same time afterwards."""
    chat = await stage.chat()
    await asyncio.gather(*(stage.send(chat, f"m{n}") for n in range(130)))
    await stage.all_stored(chat, 130)
    await stage.trimmed()
    await persister()
    await stage.see(chat, "bob", 120)
    times = await move_times(stage, "bob")
    before = await seen_at(stage, chat)
    assert before == [times[120]] * 120 + [None] * 10
    async with stage.storing():
        await stage.trimmed()
        assert await seen_at(stage, chat) == before
        await stage.gone_quiet_at_once(chat)
        assert await seen_at(stage, await stage.chat()) == before


@stored_or_not
async def test_only_the_other_user_sees(stage: Stage, persister: End, *, stored: bool) -> None:
    """A sender's own cursor does not make a message seen."""
    chat = await stage.chat()
    await stage.trimmed()
    if not stored:
        await persister()
    await stage.send(chat, "a", by="ann")
    await stage.send(chat, "b", by="bob")
    await stage.see(chat, "ann", 2)
    if stored:
        await stage.trimmed()
    times = await move_times(stage, "ann")
    assert await seen_at(stage, chat) == [None, times[2]]


async def test_cursor_is_kept_over_quiet_and_a_fence(stage: Stage, persister: End) -> None:
    """A cursor is where it was after its chat went quiet, and after the broker lost everything."""
    chat = await stage.chat()
    for n in range(3):
        await stage.send(chat, f"m{n}")
    await stage.see(chat, "bob", 2)
    await stage.trimmed()
    for loss in ("quiet", "fence"):
        if loss == "quiet":
            await stage.gone_quiet_at_once(chat)
        else:
            await stage.server.flush()
            await stage.in_epoch(2)
        await stage.see(chat, "bob", 1)
        await stage.trimmed()
        query = "SELECT user, seq FROM cursors"
        assert await stage.database.rows(query) == [("bob", 2)]
        assert (await only(stage, "bob")).unread == 1
    await persister()


@stored_or_not
async def test_a_dropped_chat_is_gone(stage: Stage, persister: End, *, stored: bool) -> None:
    """A deleted chat is found by nobody, and the pair's next one is new and empty."""
    old = await stage.chat()
    sent = await stage.send(old, "m1")
    await stage.see(old, "bob", 1)
    await stage.trimmed()
    if not stored:
        await persister()
    await stage.drop(old)
    if stored:
        await stage.trimmed()
    assert await stage.directory.chat(old.id) is None
    assert await stage.directory.room(old.key) is None
    assert await stage.directory.messages.locate(sent.id) is None
    assert await stage.listed("ann") == []
    with pytest.raises(ChatError, match="this room does not exist any more"):
        await stage.send(old, "m2")
    new = await stage.chat("bob", "ann")
    assert (new.id > old.id, new.key, new.users) == (True, old.key, ("bob", "ann"))
    assert await page(stage, new) == []
    assert await summary(stage, "bob") == [("ann", 0, None)]
    await stage.send(new, "n1")
    assert await summary(stage, "bob") == [("ann", 1, "n1")]
    with pytest.raises(ChatError) as caught:
        await stage.history.newest(old, 10)
    assert caught.value.code == "not_found"


async def test_dropped_and_made_again_in_one_batch(stage: Stage, persister: End) -> None:
    """Chats made, deleted and made again in one batch are in SQL as if it had been three."""
    kept = await stage.chat()
    await stage.send(kept, "kept")
    await stage.trimmed()
    async with stage.database.locked():
        await stage.send(kept, "late")
        await stage.see(kept, "bob", 1)
        chats = [kept]
        for n in range(3):
            await stage.drop(chats[-1])
            chats.append(await stage.chat())
            sent = await stage.send(chats[-1], f"m{n}")
        await stage.see(chats[-1], "bob", 1)
        await stage.delete(chats[-1], await stage.send(chats[-1], "gone"))
    await stage.trimmed()
    last = chats[-1]
    assert await stage.database.rows("SELECT id, key FROM rooms WHERE deleted = 0") == [
        (last.id, last.key)
    ]
    assert await stage.database.rows(
        "SELECT seq, kind, content, deleted FROM events ORDER BY room_id, seq"
    ) == [(1, "message", "m2", 0), (2, "message", None, 1), (3, "delete", None, 0)]
    assert await stage.database.rows("SELECT room_id, user, seq FROM cursors") == [
        (last.id, "bob", 1)
    ]
    dead = [await stage.server.admin.exists(f"{{{n}}}:dead") for n in range(stage.partitions)]
    assert dead == [0, 0]
    await stage.server.flush()
    await stage.in_epoch(2)
    assert await stage.directory.chat(last.id) is not None
    assert [await stage.directory.chat(chat.id) for chat in chats[:-1]] == [None] * 3
    assert (await page(stage, last))[0].id == sent.id
    await persister()


async def test_the_list_after_a_restart_of_the_broker(stage: Stage, persister: End) -> None:
    """After the broker restarted with its data, every chat is still listed."""
    await stage.send(await stage.chat("ann", "bob"), "m1")
    await stage.chat("ann", "cyd")
    before = await summary(stage, "ann")
    await stage.trimmed()
    await stage.server.restart()
    await stage.in_epoch(2)
    assert await summary(stage, "ann") == before
    await persister()


async def test_the_last_message_is_seen_as_in_history(stage: Stage, persister: End) -> None:
    """A list and history say the same of when the last message was seen, stored or not."""
    chat = await stage.chat()
    await stage.send(chat, "m1")
    await stage.trimmed()
    await persister()
    await stage.see(chat, "bob", 1)
    [in_history] = await page(stage, chat)
    assert in_history.seen_at is not None
    assert (await only(stage, "bob")).last_message == in_history
    assert (await only(stage, "ann")).last_message == in_history


async def test_news_come_first(stage: Stage, persister: End) -> None:
    """The chat with the latest news is listed first, whether SQL has it yet or not."""
    for name in ("bob", "cyd", "dan"):
        await stage.chat("ann", name)
        await asyncio.sleep(0.002)
    await stage.send(await stage.chat("ann", "bob"), "to bob")
    await stage.trimmed()
    await persister()
    await asyncio.sleep(0.002)
    await stage.send(await stage.chat("ann", "cyd"), "to cyd")
    assert [name for name, _, _ in await summary(stage, "ann")] == ["cyd", "bob", "dan"]
    partners = await stage.chats.partners(["ann", "cyd", "eve"])
    assert partners == {"ann": {"bob", "cyd", "dan"}, "cyd": {"ann"}, "eve": set()}


steps = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.sampled_from(["ann", "bob"])),
        st.tuples(st.just("see"), st.sampled_from(["ann", "bob"]), st.integers(0, 12)),
        st.tuples(st.just("delete"), st.integers(0, 8)),
        st.tuples(st.just("drop")),
        st.tuples(st.just("store")),
    ),
    max_size=14,
)


class Model:
    """A chat as simply as can be: what its users must be shown."""

    def __init__(self) -> None:
        self.head = 0
        self.messages: dict[int, tuple[str, str, Accepted]] = {}
        self.gone: set[int] = set()
        self.cursors = {"ann": 0, "bob": 0}

    def unread(self, user: str) -> int:
        """Messages of the other one past the cursor that nobody deleted."""
        return sum(
            sender != user and seq > self.cursors[user] and seq not in self.gone
            for seq, (sender, _, _) in self.messages.items()
        )

    def last(self) -> str | None:
        """What was said last and not deleted."""
        shown = [text for seq, (_, text, _) in self.messages.items() if seq not in self.gone]
        return shown[-1] if shown else None


@few
@given(steps=steps, stored=st.booleans())
async def test_the_list_is_the_naive_model(
    stage: Stage, server_of_lists: "Lists", steps: list[tuple[Any, ...]], *, stored: bool
) -> None:
    """After any steps, stored or half stored or not at all, lists say what a plain model says."""
    lists = server_of_lists
    model, chat = await lists.play(steps)
    if stored:
        await lists.store()
    for user in ("ann", "bob"):
        [listed] = [c for c in await stage.listed(lists.name(user)) if c.room.id == chat.id]
        text = listed.last_message.content if listed.last_message else None
        assert (listed.unread, text) == (model.unread(user), model.last())
    shown = [(item.seq, item.deleted) for item in await page(stage, chat)]
    assert shown == [(seq, seq in model.gone) for seq in sorted(model.messages)]


class Lists:
    """Plays steps on a fresh pair of users of one stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._round = 0

    def name(self, user: str) -> str:
        """The user of this round."""
        return f"{user} {self._round}"

    async def play(self, steps: list[tuple[Any, ...]]) -> tuple[Model, Room]:
        """Do the steps, to a real chat and to a model."""
        self._round += 1
        stage = self._stage
        model, chat = Model(), await self._chat()
        for n, step in enumerate(steps):
            match step:
                case ("send", user):
                    sent = await self._send(chat, user, f"m{n}")
                    model.head += 1
                    model.messages[sent.seq] = (user, f"m{n}", sent)
                case ("see", user, seq):
                    await stage.see(chat, self.name(user), seq)
                    model.cursors[user] = max(model.cursors[user], min(seq, model.head))
                case ("delete", place):
                    await self._delete(chat, model, place)
                case ("drop",):
                    await stage.drop(chat)
                    model, chat = Model(), await self._chat()
                case ("store",):
                    await self.store()
        return model, chat

    async def store(self) -> None:
        """Let a persister store everything there is."""
        async with self._stage.storing():
            await self._stage.trimmed()

    async def _chat(self) -> Room:
        return await self._stage.chat(self.name("ann"), self.name("bob"))

    async def _send(self, chat: Room, user: str, text: str) -> Accepted:
        msg_id = f"{chat.id} {text}"
        body = MessagePosted(self.name(user), text, msg_id)
        return await self._stage.publisher.send(chat, self.name(user), msg_id, body)

    async def _delete(self, chat: Room, model: Model, place: int) -> None:
        alive = [seq for seq in model.messages if seq not in model.gone]
        if alive:
            seq = alive[place % len(alive)]
            user, _, sent = model.messages[seq]
            body = MessageDeleted(self.name(user), sent.id, seq)
            await self._stage.publisher.send(chat, self.name(user), f"delete {sent.id}", body)
            model.gone.add(seq)
            model.head += 1


@pytest.fixture
async def server_of_lists(stage: Stage) -> Lists:
    """Partitions that were opened; nobody stores until a step says so."""
    async with stage.storing():
        pass
    return Lists(stage)


async def test_a_chat_is_found_by_its_id(stage: Stage, persister: End) -> None:
    """A chat is found by its id whether SQL has it yet or not, and after it went quiet."""
    chat = await stage.chat()
    await stage.trimmed()
    await stage.gone_quiet_at_once(chat)
    assert await stage.directory.chat(chat.id) == chat
    await persister()
    later = await stage.chat("ann", "cyd")
    assert await stage.directory.chat(later.id) == later
    assert await stage.directory.chat(later.id) == later  # remembered
    message = await stage.send(later, "m1")
    assert await stage.directory.chat(message.id) is None


@stored_or_not
async def test_a_named_room_is_no_chat(stage: Stage, persister: End, *, stored: bool) -> None:
    """The id of a named room finds no chat: chats are deleted by their ids."""
    await stage.trimmed()
    if not stored:
        await persister()
    room = await stage.make()
    if stored:
        await stage.trimmed()
    assert await stage.directory.chat(room.id) is None
