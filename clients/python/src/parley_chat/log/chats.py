"""The direct chats of a client's user, and catching up with them after a reconnect."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from parley_chat.connection.pending import Answer
from parley_chat.connection.wire import Data, Frame
from parley_chat.errors import ChatError
from parley_chat.events.kinds import (
    CaughtUp,
    ChatDeleted,
    ChatInfo,
    ChatsList,
    Event,
    NewChat,
    ServerError,
    UserId,
)
from parley_chat.events.location import LocatedEvent
from parley_chat.log.catch_up import CatchUp, Place
from parley_chat.log.context import LogContext, ask_until_answered
from parley_chat.log.room_log import AnyMessage

MAX_CONCURRENT_CHATS: Final = 4
"""Chats to catch up with at the same time, since their histories share one connection."""


class Chat(Place):
    """A direct chat.

    Attributes:
        id: Id of the chat.
        base: The `seq` up to which events count as history, unless one below it comes live.
        announced: Whether the application has been told that there is this chat.
        doubted: Whether events may have been missed, or messages lost, since a reconnect.
    """

    def __init__(self, chat_id: int, base: int, *, announced: bool) -> None:
        super().__init__(chat_id=chat_id)
        self.id = chat_id
        self.base = base
        self.announced = announced
        self.doubted = False

    def begin(self, prev: int) -> None:
        """Deliver events from the first live one on, whose `prev` is given."""
        if self.log.last is None:
            self.log.begin(min(self.base, prev))
            self.log.release()

    def doubt(self) -> None:
        """Hold live events back until the history is read, since events may be missed."""
        self.subscribed = False
        self.doubted = True
        self.log.begin(self.base)
        self.log.unsettle()


class Chats:
    """All chats that this client knows, by id.

    The first complete list has the last `seq` of each chat at the time when this client went
    online. A chat that is not in it was created later, so all of its messages are new.

    Attributes:
        online: User whom this client has declared online; None if there is none.
    """

    def __init__(self, line: LogContext) -> None:
        self.online: UserId | None = None
        self._context = line
        self._chats: dict[int, Chat] = {}
        self._listed = False
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_CHATS)
        self._catch_up = CatchUp[Chat](line, self._lose)

    def located(self, frame: Frame) -> Frame:
        """Return a frame with the chat of its message, if the server named none."""
        message_id = frame.data.get("messageId") if isinstance(frame.data, dict) else None
        if not isinstance(message_id, int) or "room" in frame.data or "chatId" in frame.data:
            return frame
        if frame.room is not None or frame.chat_id is not None:
            return frame
        return frame._replace(chat_id=self._chat_of(message_id))

    def is_new(self, event: Event) -> bool:
        """Learn from an event; return whether it is new to the application."""
        match event:
            case ChatsList(chats=chats):
                self.list(chats)
            case NewChat():
                return self._is_new(event)
            case ChatDeleted(id=chat_id):
                self._chats.pop(chat_id, None)
            case _:
                pass
        return True

    def is_next(self, entry: LocatedEvent) -> bool:
        """Take a live event of a chat, known or not; return whether to deliver it now."""
        at = entry.at
        if at.chat_id is None:
            return True
        chat = self._chats.get(at.chat_id)
        if chat is None:
            chat = self._add(at.chat_id, 0 if self._listed else at.prev, announced=False)
        chat.begin(at.prev)
        return self._catch_up.is_next(chat, entry)

    def remember(self, chat_id: int, items: Sequence[AnyMessage]) -> None:
        """Remember messages that the application was given as history."""
        if (chat := self._chats.get(chat_id)) is not None:
            chat.log.remember(items)

    def list(self, chats: Sequence[ChatInfo], *, complete: bool = False) -> None:
        """Learn from a list of chats, which is `complete` if it has all of them."""
        for info in chats:
            if info.id in self._chats:
                self._chats[info.id].announced = True
            elif self._listed:
                chat = self._add(info.id, 0, announced=True)
                chat.doubt()
                self._context.spawn(self._read_missed(chat))
            else:
                last = info.last_message
                self._add(info.id, last.seq if last else 0, announced=True)
            if info.last_message is not None:
                self.remember(info.id, [info.last_message])
        self._listed = self._listed or complete

    async def list_all(
        self, user: UserId | None, ask: Callable[[Data], Awaitable[Answer]]
    ) -> Sequence[ChatInfo]:
        """Read the list of a user's chats, page by page.

        Args:
            user: Whose chats to read; the name that `getChats` gives.
            ask: Sends `getChats` with its data.
        """
        found: dict[int, ChatInfo] = {}  # by id, as a chat may be on two pages
        data: dict[str, Data] = {"userId": user}
        while True:
            answer = await ask(dict(data))
            page = msgspec.convert(answer.beside, list[ChatInfo])
            data["before"] = answer.data.get("next")
            self.list(page, complete=data["before"] is None)
            found |= {chat.id: chat for chat in page}
            if data["before"] is None:
                return [*found.values()]

    def forget(self) -> None:
        """Forget all chats, since the user went offline."""
        self.online = None
        self._listed = False
        self._chats.clear()

    def connection_lost(self) -> None:
        """Take note that events of all chats may be missed from here on."""
        for chat in self._chats.values():
            chat.doubt()

    async def resume(self) -> None:
        """Go online again after a reconnect, and catch up with all chats."""
        if self.online is None and not self._listed and not self._chats:
            return
        missed = [chat for chat in self._chats.values() if not chat.subscribed]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._go_online())
            for chat in missed:
                tasks.create_task(self._read_missed(chat))

    async def _go_online(self) -> None:
        """Declare the user online again, and look for chats that were created meanwhile."""
        ask = self._context.ask
        try:
            if self.online is not None:
                await ask_until_answered(
                    lambda: ask("userOnline", {"userId": self.online}, idempotent=False)
                )
            await self.list_all(
                self._context.user,
                lambda data: ask_until_answered(lambda: ask("getChats", data, idempotent=False)),
            )
        except ChatError as error:
            told = ServerError(code=error.code, message=error.message, retryable=error.retryable)
            self._context.show([told])

    async def _read_missed(self, chat: Chat) -> None:
        async with self._slots:
            chat.subscribed = True
            count = await self._catch_up.catch_up(chat)
            if chat.doubted:
                chat.doubted = False
                try:
                    await self._catch_up.find_lost(chat)
                except BaseException:
                    chat.doubted = True
                    raise
        if self._chats.get(chat.id) is chat:
            await self._context.space()
            self._context.show([CaughtUp(chat_id=chat.id, count=count)])

    def _add(self, chat_id: int, base: int, *, announced: bool) -> Chat:
        chat = self._chats[chat_id] = Chat(chat_id, base, announced=announced)
        chat.subscribed = True
        return chat

    def _is_new(self, made: NewChat) -> bool:
        """Return whether a chat is new; the server may announce the same one twice."""
        chat = self._chats.get(made.id)
        if chat is None:
            if self._listed:
                self._add(made.id, 0, announced=True)
            return True
        known, chat.announced = chat.announced, True
        return not known

    def _chat_of(self, message_id: int) -> int | None:
        known = (chat.id for chat in self._chats.values() if chat.log.knows(message_id))
        return next(known, None)

    def _lose(self, chat: Chat, error: ChatError) -> None:
        """Drop a chat whose history the server refuses, since it was deleted meanwhile."""
        if self._chats.get(chat.id) is not chat:
            return
        del self._chats[chat.id]
        if error.code == "not_found":
            self._context.show([ChatDeleted(id=chat.id)])
        else:
            told = ServerError(code=error.code, message=error.message, retryable=error.retryable)
            self._context.show([told])
