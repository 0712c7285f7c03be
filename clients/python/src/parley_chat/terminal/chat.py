"""A conversation in the terminal: lines become requests, and events are shown."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final

from parley_chat.client import ChatClient
from parley_chat.errors import ChatError
from parley_chat.events.kinds import Disconnected
from parley_chat.terminal.actions import Actions
from parley_chat.terminal.commands import Command, InvalidCommand
from parley_chat.terminal.options import Options
from parley_chat.terminal.views import View

COMMAND_ERRORS: Final = (ChatError, InvalidCommand, ConnectionError, TimeoutError, ValueError)
"""Errors of a command, after which the chat goes on."""

QUIT_TIMEOUT_SECONDS: Final = 2.0
"""Time after /quit for messages that are not acknowledged yet."""


class Chat:
    """The conversation of a person or a script."""

    def __init__(
        self, client: ChatClient, view: View, parse: Callable[[str], Command | None]
    ) -> None:
        self._client = client
        self._view = view
        self._parse = parse
        self._actions = Actions(client)
        self._sending: set[asyncio.Task[None]] = set()

    @property
    def prompt(self) -> str:
        """Text in front of the line being typed: the present room or chat."""
        place = self._actions.place
        return place.prompt if place else ""

    async def enter(self, options: Options) -> None:
        """Go online, join a room and open a direct chat, as the options say.

        Raises:
            ChatError: the server refused one of these.
        """
        if options.user is not None:
            await self._client.go_online(options.user)
        if options.room is not None:
            if options.create:
                await self._make(options.room, options.password)
            await self._answer(
                Command(command="join", room=options.room, password=options.password)
            )
        if options.dm is not None:
            await self._answer(Command(command="dm", user=options.dm))

    async def type(self) -> None:
        """Show the others in the present room or chat that the user is typing."""
        if self._actions.place is not None:
            with contextlib.suppress(*COMMAND_ERRORS):
                await self._actions.do(Command(command="typing"))

    async def show(self) -> None:
        """Show events until there are no more."""
        async for event in self._client.events():
            self._actions.shown.take(event, self._client.user)
            self._view.event(event, self._actions.places)
            if isinstance(event, Disconnected) and event.final:
                return

    async def execute(self, lines: AsyncIterator[str]) -> bool:
        """Execute the commands of all lines.

        Returns:
            Whether to go on after them; False after /quit.
        """
        async for line in lines:
            try:
                command = self._parse(line)
            except InvalidCommand as error:
                self._view.failure(None, error)
                continue
            if command is None:
                continue
            if command.command == "quit":
                await self._wait_for_sends(QUIT_TIMEOUT_SECONDS)
                return False
            await self._start(command)
        await self._wait_for_sends(None)
        return True

    async def _make(self, room: str, password: str | None) -> None:
        try:
            await self._client.create_room(room, password)
        except ChatError as error:
            if error.code != "room_exists":
                raise

    async def _start(self, command: Command) -> None:
        if command.command != "say":
            if command.command == "delete" and self._sending:
                await asyncio.wait(self._sending)  # the message to delete may be one of these
            await self._do(command)
            return
        # The next line need not wait for the answer: the client keeps the order of messages.
        task = asyncio.create_task(self._do(command))
        self._sending.add(task)
        task.add_done_callback(self._sent)
        await asyncio.sleep(0)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        if not task.cancelled():
            task.exception()  # after a failed write, `show` fails with the same error

    async def _do(self, command: Command) -> None:
        try:
            await self._answer(command)
        except COMMAND_ERRORS as error:
            self._view.failure(command, error)

    async def _answer(self, command: Command) -> None:
        self._view.answer(command, await self._actions.do(command))

    async def _wait_for_sends(self, within: float | None) -> None:
        if self._sending:
            await asyncio.wait(self._sending, timeout=within)
        for task in list(self._sending):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
