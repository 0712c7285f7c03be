"""The chat itself: lines become requests, events are shown."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final

from gateway.client.client import ChatClient
from gateway.client.events import Disconnected
from gateway.client.terminal.commands import Command, NotUnderstood
from gateway.client.terminal.views import View
from shared.errors import ChatError

FAILURES: Final = (ChatError, NotUnderstood, ConnectionError, TimeoutError, ValueError)
"""What a command may end with, and the chat goes on."""

PARTING: Final = 2.0
"""Seconds that messages on their way get after /quit."""

Action = Callable[[Command], Awaitable[object]]


class Chat:
    """One person's, or script's, conversation.

    Attributes:
        room: where what is said goes; None before the first room.
    """

    def __init__(
        self, client: ChatClient, view: View, parse: Callable[[str], Command | None]
    ) -> None:
        self.room: str | None = None
        self._client = client
        self._view = view
        self._parse = parse
        self._saying: set[asyncio.Task[None]] = set()
        self._actions: Mapping[str, Action] = {
            "say": self._say,
            "join": self._join,
            "create": self._create,
            "leave": self._leave,
            "rooms": self._rooms,
            "history": self._history,
            "clear": self._clear,
            "who": self._who,
            "typing": self._typing,
            "help": self._help,
        }

    async def enter(self, room: str, password: str | None, *, create: bool) -> None:
        """Join the first room.

        Raises:
            ChatError: the server does not let us in.
        """
        if create:
            try:
                await self._client.create_room(room, password)
            except ChatError as error:
                if error.code != "room_exists":
                    raise
        command = Command(command="join", room=room, password=password)
        self._view.answer(command, await self._join(command))

    async def show(self) -> None:
        """Show what happens until there is no more."""
        async for event in self._client.events():
            self._view.event(event, len(self._client.rooms))
            if isinstance(event, Disconnected) and event.final:
                return

    async def obey(self, lines: AsyncIterator[str]) -> bool:
        """Do what the lines say.

        Returns:
            Whether to go on after them: False when they said to quit.
        """
        async for line in lines:
            try:
                command = self._parse(line)
            except NotUnderstood as error:
                self._view.failure(None, error)
                continue
            if command is None:
                continue
            if command.command == "quit":
                await self._part(PARTING)
                return False
            await self._start(command)
        await self._part(None)
        return True

    async def _start(self, command: Command) -> None:
        if command.command != "say":
            await self._do(command)
            return
        # The next line need not wait for the answer: the client keeps the order of sends.
        task = asyncio.create_task(self._do(command))
        self._saying.add(task)
        task.add_done_callback(self._said)
        await asyncio.sleep(0)

    def _said(self, task: asyncio.Task[None]) -> None:
        self._saying.discard(task)
        if not task.cancelled():
            task.exception()  # nobody to write to: `show` finds that out, too

    async def _do(self, command: Command) -> None:
        try:
            answer = await self._actions[command.command](command)
        except FAILURES as error:
            self._view.failure(command, error)
        else:
            self._view.answer(command, answer)

    async def _part(self, within: float | None) -> None:
        if self._saying:
            await asyncio.wait(self._saying, timeout=within)
        for task in list(self._saying):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _place(self, command: Command) -> str:
        room = command.room if command.room is not None else self.room
        if room is None:
            raise NotUnderstood("join a room first: /join ROOM")
        return room

    async def _say(self, command: Command) -> object:
        return await self._client.send(self._place(command), command.content)

    async def _join(self, command: Command) -> object:
        joined = await self._client.join_room(self._place(command), command.password)
        self.room = joined.room
        return joined

    async def _create(self, command: Command) -> object:
        await self._client.create_room(self._place(command), command.password)
        return await self._join(command)

    async def _leave(self, command: Command) -> object:
        room = self._place(command)
        await self._client.leave_room(room)
        if room == self.room:
            self.room = next(iter(self._client.rooms), None)
        return {"room": room}

    async def _rooms(self, command: Command) -> object:  # noqa: ARG002 - every action is given it
        return await self._client.get_rooms()

    async def _history(self, command: Command) -> object:
        return await self._client.history(self._place(command), limit=command.limit)

    async def _clear(self, command: Command) -> object:
        await self._client.delete_messages(self._place(command))
        return {}

    async def _who(self, command: Command) -> object:
        return self._client.typing_in(self._place(command))

    async def _typing(self, command: Command) -> object:
        await self._client.typing(self._place(command))
        return {}

    async def _help(self, command: Command) -> object:  # noqa: ARG002 - every action is given it
        return {}
