"""The table of actions: whatever is asked is judged by the rule that stands there."""

import asyncio
import math
from collections.abc import AsyncIterator, Mapping
from types import CoroutineType

import msgspec
import pytest

from gateway.access.authorization import AccessRequest, Verdict
from gateway.access.shares.reads import READ_SLOTS_PER_USER
from gateway.access.tokens import Bearer
from gateway.api.actions import EVENTS, REQUESTS, Action, perform
from gateway.api.handlers.requests import BearerPrincipal
from shared.errors import ChatError
from shared.model.ids import chat_key
from tests.integration.gateway.asking import Asking, gateway_of
from tests.support.stage import Stage
from tests.support.waiting import eventually


@pytest.fixture
async def asking(stage: Stage) -> AsyncIterator[Asking]:
    """A whole gateway in this process, without doors."""
    async with stage.storing(), gateway_of(stage) as gateway:
        asks = Asking(gateway)
        await asks.set_up(stage)
        yield asks


def deny(_asked: AccessRequest) -> Verdict:
    """A rule by which nobody may."""
    return Verdict.FORBIDDEN


async def test_each_event_is_judged_by_its_rule(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its rule changed to one that denies, each event is refused; with its own, it is not."""
    assert asking.commands.keys() == EVENTS.keys()
    with monkeypatch.context() as changed:
        for event in EVENTS:
            _deny(changed, EVENTS, event)
        for event in EVENTS:
            assert await asking.is_refused(event), event
    for event in asking.commands:
        assert not await asking.is_refused(event), event


async def test_each_request_is_judged_by_its_rule(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its rule changed to one that denies, each request of REST is refused; else it is not."""
    chat = await asking.gateway.rooms.directory.room(chat_key("ann", "bob"))
    assert chat is not None
    given: dict[str, dict[str, object]] = {
        "POST /tickets": {},
        "POST /chats": {"user1Id": "ann", "user2Id": "bob"},
        "GET /chats/{chat}": {"chatId": chat.id},
        "GET /chats/user/{user}": {"userId": "ann"},
        "DELETE /chats/{chat}": {"chatId": chat.id},
    }
    assert given.keys() == REQUESTS.keys()

    async def code_of(name: str) -> str:
        action = REQUESTS[name].action
        command = msgspec.convert(given[name], action.command)
        try:
            outcome = perform(asking.gateway, action, BearerPrincipal(None, "192.0.2.1"), command)
            if isinstance(outcome, CoroutineType):
                await outcome
        except ChatError as error:
            return error.code
        return "ok"

    with monkeypatch.context() as changed:
        for name in REQUESTS:
            request = REQUESTS[name]
            denied = request._replace(action=request.action._replace(rule=deny))
            assert isinstance(REQUESTS, dict)
            changed.setitem(REQUESTS, name, denied)
        assert {await code_of(name) for name in given} == {"forbidden"}
    # Tickets are for those who have to prove who they are.
    assert [await code_of(name) for name in given] == ["not_found", "ok", "ok", "ok", "ok"]


@pytest.mark.parametrize(
    ("event", "data", "code"),
    [
        ("message", {"room": "nowhere", "content": "hi"}, "not_joined"),
        ("typing", {"room": "nowhere"}, "not_joined"),
        ("seen", {"room": "nowhere", "seq": 1}, "not_joined"),
        ("typing", {"chatId": 4711}, "not_found"),
        ("seen", {"chatId": 4711, "seq": 1}, "not_found"),
    ],
)
async def test_what_is_unknown_is_looked_up_in_turn(
    asking: Asking, event: str, data: object, code: str
) -> None:
    """A room or chat that has to be looked up waits for the user's other reads; a send does not."""
    reads = asking.gateway.access.reads
    ann = BearerPrincipal(Bearer("ann", math.inf), "192.0.2.1")
    slots = [await reads.take(ann) for _ in range(READ_SLOTS_PER_USER)]
    asked = asyncio.create_task(asking.ask(event, data))

    async def waits() -> bool:
        assert not asked.done()
        return reads.waiting == 1

    await eventually(waits)
    for slot in slots:
        slot.give_up()
    assert (await asked)["data"]["code"] == code
    slots = [await reads.take(ann) for _ in range(READ_SLOTS_PER_USER)]
    said = await asking.ask("message", asking.commands["message"])
    assert said["event"] == "reply"
    assert reads.waiting == 0


def _deny(changed: pytest.MonkeyPatch, table: Mapping[str, Action], name: str) -> None:
    assert isinstance(table, dict)
    changed.setitem(table, name, table[name]._replace(rule=deny))
