"""The table of actions: whatever is asked is judged by the rule that stands there."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from types import CoroutineType
from typing import Any

import msgspec
import pytest

from gateway.access.authorization import AccessRequest, Verdict
from gateway.api.actions import EVENTS, REQUESTS, Action, perform
from gateway.api.backends import Backends
from gateway.api.build import build_gateway, start_gateway
from gateway.api.gateway import Gateway
from gateway.api.handlers.requests import BearerPrincipal
from gateway.api.session import ClientSession
from gateway.protocols.json_frames import JSON
from shared.errors import ChatError
from shared.model.database import DatabaseIdentity
from shared.model.ids import chat_key
from shared.storage.installation import Installation
from tests.support.ear import Ear
from tests.support.stage import Stage
from tests.support.waiting import eventually


class Asking:
    """Ann, who owns the room `general` and has a chat with Bob, on a gateway in this process.

    Attributes:
        gateway: the gateway.
        commands: for each action something that Ann may ask.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._ear = Ear(gateway.clients.flusher)
        self._session = ClientSession(gateway, JSON, self._ear, "192.0.2.1")
        self._session.accept()
        self.commands: dict[str, Any] = {}

    async def ask(self, event: str, data: object) -> dict[str, Any]:
        """Ask, and wait for the reply or the error."""
        frame = {"event": event, "data": data, "id": "it"}
        if later := self._session.received(msgspec.json.encode(frame), text=True):
            await later
        while (answer := await self._ear.receive()).get("id") != "it":
            pass
        found: dict[str, Any] = answer
        return found

    async def insist(self, event: str, data: object) -> None:
        """Ask until it is granted: on a busy machine the broker may answer late."""

        async def granted() -> bool:
            answer = await self.ask(event, data)
            assert answer["event"] == "reply" or answer["data"]["retryable"], answer
            return bool(answer["event"] == "reply")

        await eventually(granted)

    async def is_refused(self, event: str) -> bool:
        """Whether Ann is refused what she may ask."""
        answer = await self.ask(event, self.commands[event])
        if event == "resume" and answer["event"] == "reply":
            places = [*answer["data"]["rooms"].values(), *answer["data"]["chats"].values()]
            assert len(places) == 2
            return not any(place["recovered"] for place in places)
        codes = {"forbidden", "not_joined", "not_found"}
        return answer["event"] == "error" and answer["data"]["code"] in codes

    async def set_up(self, stage: Stage) -> None:
        """Let there be a room, a chat, and messages in both."""
        for event, data in (
            ("setUsername", "ann"),
            ("createRoom", {"name": "general"}),
            ("joinRoom", {"room": "general"}),
            ("userOnline", "ann"),
        ):
            await self.insist(event, data)
        said = await self.ask("message", {"room": "general", "content": "hi"})
        chat = await stage.chat()
        received = await stage.send(chat, "hello", by="bob")
        room, user = {"room": "general"}, {"room": "general", "user": "eve"}
        self.commands = {
            "authenticate": {"token": "x"},
            "setUsername": "ann",
            "createRoom": {"name": "another"},
            "joinRoom": room,
            "resume": {"rooms": {"general": 0}, "chats": {str(chat.id): 0}},
            "getRooms": {},
            "message": {**room, "content": "hi"},
            "typing": room,
            "history": {"chatId": chat.id},
            "seen": {**room, "seq": 1},
            "userOnline": "ann",
            "getChats": "ann",
            "createChat": {"user1Id": "ann", "user2Id": "eve"},
            "sendMessage": {"senderId": "ann", "receiverId": "bob", "content": "hi"},
            "getMessages": chat.id,
            "markAsSeen": received.id,
            "kick": user,
            "ban": user,
            "unban": user,
            "setModerator": {**user, "moderator": True},
            "getStandings": {**room, "standing": "banned"},
            "setPassword": {**room, "password": "key"},
            "deleteMessage": said["data"]["id"],
            "deleteMessages": room,
            "leaveRoom": room,
            "userOffline": "ann",
        }


@pytest.fixture
async def asking(stage: Stage) -> AsyncIterator[Asking]:
    """A whole gateway in this process, without doors."""
    async with stage.storing(), AsyncExitStack() as stack:
        installation = Installation("stage", stage.partitions, DatabaseIdentity())
        links = Backends.open(stage.settings, installation, stack)
        gateway = build_gateway(stage.settings, links, stack)
        start_gateway(gateway, links, stack)
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
            outcome = perform(asking.gateway, action, BearerPrincipal(None), command)
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


def _deny(changed: pytest.MonkeyPatch, table: Mapping[str, Action], name: str) -> None:
    assert isinstance(table, dict)
    changed.setitem(table, name, table[name]._replace(rule=deny))
