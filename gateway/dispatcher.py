"""From a frame to its handler, and from its outcome to the answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from inspect import iscoroutine
from typing import Any, Final, NamedTuple

from gateway.connection import Connection
from gateway.handlers import chats, people, places, resume, rooms
from gateway.handlers.outcome import AndThen, Later, ToldAlready
from gateway.protocols.frames import Frame, RequestId
from gateway.services import Services
from shared.errors import ChatError
from shared.model import commands
from shared.telemetry import logger

MOST_UNDER_WAY: Final = 256
"""Sends of one connection that may wait for the broker; its next frame waits for one to end."""

Handler = Callable[[Services, Connection, Any], Awaitable[object]]

log = logger(__name__)


class Entry(NamedTuple):
    """What an event's data is, and what it does."""

    command: type[commands.Command]
    handler: Handler


TABLE: Final[Mapping[str, Entry]] = {
    "setUsername": Entry(commands.SetUsername, people.set_username),
    "createRoom": Entry(commands.CreateRoom, rooms.create_room),
    "joinRoom": Entry(commands.JoinRoom, rooms.join_room),
    "resume": Entry(commands.Resume, resume.resume),
    "getRooms": Entry(commands.GetRooms, rooms.get_rooms),
    "leaveRoom": Entry(commands.LeaveRoom, rooms.leave_room),
    "message": Entry(commands.SendMessage, rooms.send_message),
    "deleteMessages": Entry(commands.DeleteMessages, rooms.delete_messages),
    "typing": Entry(commands.Typing, places.typing),
    "history": Entry(commands.History, places.history),
    "seen": Entry(commands.Seen, places.seen),
    "userOnline": Entry(commands.UserOnline, people.user_online),
    "userOffline": Entry(commands.UserOffline, people.user_offline),
    "getChats": Entry(commands.GetChats, chats.get_chats),
    "createChat": Entry(commands.CreateChat, chats.create_chat),
    "sendMessage": Entry(commands.SendChatMessage, chats.send_message),
    "getMessages": Entry(commands.GetMessages, chats.get_messages),
    "markAsSeen": Entry(commands.MarkAsSeen, chats.mark_as_seen),
    "deleteMessage": Entry(commands.DeleteMessage, chats.delete_message),
}


class Dispatcher:
    """Handles the frames of one connection, one after the other."""

    def __init__(self, services: Services, connection: Connection) -> None:
        self._services = services
        self._connection = connection
        self._under_way: set[asyncio.Task[None]] = set()

    async def dispatch(self, data: Any) -> None:  # noqa: ANN401 - as the format's `parse` takes it
        """Handle a frame; whatever is wrong with it is answered, never raised."""
        request: RequestId | None = None
        try:
            frame = self._connection.wire.parse(data)
            request = frame.id
            outcome = await self._handle(frame)
        except ChatError as error:
            self._refuse(request, error)
        except Exception:
            log.exception("handler failed", sid=self._connection.sid)
            self._refuse(request, ChatError("internal", "something went wrong on our side"))
        else:
            if iscoroutine(outcome):
                await self._answer_later(request, outcome)
            elif isinstance(outcome, AndThen):
                self._connection.reply(request, outcome.reply)
                for step in outcome.then:
                    step()
            else:
                self._connection.reply(request, {} if outcome is None else outcome)

    async def finish(self) -> None:
        """Wait until every send has its answer."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def _handle(self, frame: Frame) -> object:
        entry = TABLE.get(frame.event)
        if entry is None:
            raise ChatError("unknown_event", "there is no such event")
        command = self._connection.wire.command(frame, entry.command)
        return await entry.handler(self._services, self._connection, command)

    async def _answer_later(self, request: RequestId | None, outcome: Later) -> None:
        task = asyncio.create_task(self._answer(request, outcome))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        if len(self._under_way) >= MOST_UNDER_WAY:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)

    async def _answer(self, request: RequestId | None, outcome: Later) -> None:
        try:
            reply = await outcome
        except ChatError as error:
            self._refuse(request, error)
        except Exception:
            log.exception("send failed", sid=self._connection.sid)
            self._refuse(request, ChatError("internal", "something went wrong on our side"))
        else:
            self._connection.reply(request, {} if reply is None else reply)

    def _refuse(self, request: RequestId | None, error: ChatError) -> None:
        if request is not None or not isinstance(error, ToldAlready):
            self._connection.refuse(request, error)
