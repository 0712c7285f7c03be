"""What a user may not know of takes the same work as what there is not: times do not tell it."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, Final, cast

import msgspec
import pytest
from sqlalchemy import event as sql_event
from sqlalchemy.engine import Engine

from gateway.access.tokens import Bearer
from gateway.api.actions import REQUESTS, perform
from gateway.api.gateway import Gateway
from gateway.api.handlers.requests import BearerPrincipal
from shared.broker.scripts import digest
from shared.errors import ChatError
from shared.model.ids import make_id, partition_of_id
from tests.integration.gateway.asking import Asking, gateway_of
from tests.support.stage import Stage

LOOK_UPS: Final = {digest(name): name for name in ("find_room", "read_key")}
TABLES: Final = ("rooms", "events", "standings")
REPEATED: Final = 3


class Work:
    """The look-ups of a gateway: calls of the broker's scripts, and queries of SQL."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._queries: Counter[str] = Counter()

    def note(self, _connection: object, _cursor: object, query: str, *_: object) -> None:
        """Note a query; called by SQLAlchemy."""
        if any(f"FROM {table}" in query for table in TABLES):
            self._queries[query.split("WHERE", maxsplit=1)[0]] += 1

    async def of(self, asks: Callable[[], Awaitable[None]]) -> Counter[str]:
        """Ask, and return what was looked up for the answer."""
        admin = self._stage.server.admin
        self._queries = Counter()
        async with admin.monitor() as monitor:
            await asks()
            await admin.echo("the end")
            calls: Counter[str] = Counter()
            while "the end" not in (command := (await monitor.next_command())["command"]):
                name, _, rest = command.partition(" ")
                if name == "EVALSHA" and (script := LOOK_UPS.get(rest.split()[0])):
                    calls[script] += 1
        return calls + self._queries


@pytest.fixture
async def work(stage: Stage) -> AsyncIterator[Work]:
    """Counts look-ups."""
    counting = Work(stage)
    sql_event.listen(Engine, "before_cursor_execute", counting.note)
    yield counting
    sql_event.remove(Engine, "before_cursor_execute", counting.note)


Ask = Callable[[Any], Awaitable[None]]


async def as_much(work: Work, ask: Ask, hidden: object, absent: object) -> None:
    """Check that two refusals take the same look-ups, whatever is cached by now."""
    await ask(hidden)  # a room that is idle is opened once
    for _ in range(REPEATED):
        assert await work.of(partial(ask, hidden)) == await work.of(partial(ask, absent)) != {}


def refused(asker: Asking, event: str, code: str, data: Callable[[Any], dict[str, Any]]) -> Ask:
    """Make what asks for an event and is refused, whatever it is about."""

    async def ask(about: object) -> None:
        answer = await asker.ask(event, data(about))
        assert answer["data"].get("code") == code, (event, answer)

    return ask


def not_recovered(asker: Asking, kind: str) -> Ask:
    """Make what resumes a room or chat, and is told that there is nothing."""

    async def ask(place: object) -> None:
        answer = await asker.ask("resume", {kind: {str(place): 0}})
        assert not answer["data"][kind][str(place)]["recovered"]

    return ask


def refused_by_rest(gateway: Gateway, name: str) -> Ask:
    """Make a request of REST for a chat, of Ann's, that is refused."""
    action, asker = REQUESTS[name].action, BearerPrincipal(Bearer("ann", float("inf")), "192.0.2.1")

    async def ask(chat: object) -> None:
        command = msgspec.convert({"chatId": chat}, action.command)
        with pytest.raises(ChatError) as raised:
            await cast("Awaitable[object]", perform(gateway, action, asker, command))
        assert raised.value.code == "not_found"

    return ask


async def ann_and_bob(gateway: Gateway) -> tuple[Asking, Asking]:
    """Let two users connect."""
    ann, bob = Asking(gateway), Asking(gateway)
    await ann.insist("setUsername", "ann")
    await bob.insist("setUsername", "bob")
    return ann, bob


@pytest.mark.parametrize("stored", [True, False])
async def test_chats_of_others(stage: Stage, work: Work, *, stored: bool) -> None:
    """Chats and messages of others are refused after the same look-ups as ones there are not."""
    async with stage.storing() as end, gateway_of(stage) as gateway:
        ann, bob = await ann_and_bob(gateway)
        if not stored:
            await end()
        await bob.insist("createChat", {"user1Id": "bob", "user2Id": "eve"})
        message = {"senderId": "bob", "receiverId": "eve", "content": "psst"}
        said = (await bob.ask("sendMessage", message))["data"]
        await bob.insist("getMessages", said["chatId"])  # so the gateway knows the chat
        if stored:
            await stage.trimmed()
            await end()
        chat, words = said["chatId"], said["id"]
        no_chat, no_words = (make_id(10**6, partition_of_id(each)) for each in (chat, words))
        for event in ("getMessages", "history"):
            ask = refused(ann, event, "not_found", lambda id_: {"chatId": id_})
            await as_much(work, ask, chat, no_chat)
        for event in ("markAsSeen", "deleteMessage"):
            ask = refused(ann, event, "not_found", lambda id_: {"messageId": id_})
            await as_much(work, ask, words, no_words)
        await as_much(work, not_recovered(ann, "chats"), chat, no_chat)
        for name in ("GET /chats/{chat}", "DELETE /chats/{chat}"):
            await as_much(work, refused_by_rest(gateway, name), chat, no_chat)


async def test_rooms_with_passwords(stage: Stage, work: Work) -> None:
    """A room with a password is refused after the same look-ups as one that there is not."""
    async with stage.storing() as end, gateway_of(stage) as gateway:
        ann, bob = await ann_and_bob(gateway)
        await bob.insist("createRoom", {"name": "Locked", "password": "key"})
        await bob.insist("joinRoom", {"room": "Locked", "password": "key"})
        await stage.trimmed()
        await end()
        knock = {"password": "wrong"}
        ask = refused(ann, "joinRoom", "forbidden", lambda room: {"room": room, **knock})
        await as_much(work, ask, "Locked", "Nowhere")
        fields = {"content": "hi", "seq": 1, "user": "bob", "standing": "banned"}
        for event in ("message", "history", "seen", "kick", "getStandings", "deleteMessages"):
            ask = refused(ann, event, "not_joined", lambda room: {"room": room, **fields})
            await as_much(work, ask, "Locked", "Nowhere")
        await as_much(work, not_recovered(ann, "rooms"), "Locked", "Nowhere")
