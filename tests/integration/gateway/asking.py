"""A client of a whole gateway that runs in the test's own process, without doors."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec

from gateway.api.assembly import build_gateway, start_gateway
from gateway.api.backends import Backends
from gateway.api.gateway import Gateway
from gateway.api.session import ClientSession
from gateway.protocols.json_frames import JSON
from shared.model.database import DatabaseIdentity
from shared.storage.installation import Installation
from tests.support.ear import Ear
from tests.support.stage import Stage
from tests.support.waiting import eventually


@asynccontextmanager
async def gateway_of(stage: Stage) -> AsyncIterator[Gateway]:
    """Run a gateway on a stage."""
    async with AsyncExitStack() as stack:
        installation = Installation("stage", stage.partitions, DatabaseIdentity())
        links = Backends.open(stage.settings, installation, stack)
        gateway = build_gateway(stage.settings, links, stack)
        start_gateway(gateway, links, stack)
        yield gateway


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

    async def insist(self, event: str, data: object) -> dict[str, Any]:
        """Ask until it is granted; return the reply. On a busy machine the broker may be late."""

        async def granted() -> dict[str, Any] | None:
            answer = await self.ask(event, data)
            assert answer["event"] == "reply" or answer["data"]["retryable"], answer
            return answer if answer["event"] == "reply" else None

        reply = await eventually(granted)
        assert reply is not None
        return reply

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
        said = await self.insist("message", {"room": "general", "content": "hi"})
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
            "getModerationLog": room,
            "setPassword": {**room, "password": "key"},
            "deleteMessage": said["data"]["id"],
            "deleteMessages": room,
            "leaveRoom": room,
            "userOffline": "ann",
        }
