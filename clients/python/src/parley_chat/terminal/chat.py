"""The chat itself: lines become requests, events are shown."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final

from parley_chat.client import ChatClient
from parley_chat.errors import ChatError
from parley_chat.events.kinds import Disconnected
from parley_chat.terminal.actions import Actions
from parley_chat.terminal.commands import Command, NotUnderstood
from parley_chat.terminal.options import Options
from parley_chat.terminal.views import View

FAILURES: Final = (ChatError, NotUnderstood, ConnectionError, TimeoutError, ValueError)
"""What a command may end with, and the chat goes on."""

PARTING: Final = 2.0
"""Seconds that messages on their way get after /quit."""


class Chat:
    """One person's, or script's, conversation."""

    def __init__(
        self, client: ChatClient, view: View, parse: Callable[[str], Command | None]
    ) -> None:
        self._client = client
        self._view = view
        self._parse = parse
        self._actions = Actions(client)
        self._saying: set[asyncio.Task[None]] = set()

    @property
    def prompt(self) -> str:
        """Where what is said goes; empty before the first place."""
        place = self._actions.place
        return place.prompt if place else ""

    async def enter(self, chosen: Options) -> None:
        """Come online, join the first room and open the first direct chat, as was chosen.

        Raises:
            ChatError: the server does not let us.
        """
        if chosen.user is not None:
            await self._client.go_online(chosen.user)
        if chosen.room is not None:
            if chosen.create:
                await self._make(chosen.room, chosen.password)
            await self._answer(Command(command="join", room=chosen.room, password=chosen.password))
        if chosen.dm is not None:
            await self._answer(Command(command="dm", user=chosen.dm))

    async def type(self) -> None:
        """Be seen typing where one is."""
        if self._actions.place is not None:
            with contextlib.suppress(*FAILURES):
                await self._actions.do(Command(command="typing"))

    async def show(self) -> None:
        """Show what happens until there is no more."""
        async for event in self._client.events():
            self._actions.shown.take(event, self._client.user)
            self._view.event(event, self._actions.places)
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

    async def _make(self, room: str, password: str | None) -> None:
        try:
            await self._client.create_room(room, password)
        except ChatError as error:
            if error.code != "room_exists":
                raise

    async def _start(self, command: Command) -> None:
        if command.command != "say":
            if command.command == "delete" and self._saying:
                await asyncio.wait(self._saying)  # the last message may be one of these
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
            await self._answer(command)
        except FAILURES as error:
            self._view.failure(command, error)

    async def _answer(self, command: Command) -> None:
        self._view.answer(command, await self._actions.do(command))

    async def _part(self, within: float | None) -> None:
        if self._saying:
            await asyncio.wait(self._saying, timeout=within)
        for task in list(self._saying):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
