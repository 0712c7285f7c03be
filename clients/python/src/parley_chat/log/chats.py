"""The direct chats of a client's user: hearing of them, and catching up after a reconnect."""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from parley_chat.connection.wire import Frame
from parley_chat.errors import ChatError
from parley_chat.events.entries import Entry
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
from parley_chat.log.catch_up import CatchUp, Place
from parley_chat.log.line import Line, patiently
from parley_chat.log.room_log import Said

AT_ONCE: Final = 4
"""Chats caught up with at the same time: their histories share one connection."""


class Chat(Place):
    """A direct chat.

    Attributes:
        id: in the cluster.
        base: up to here it is history, unless an event from below comes live.
        announced: the application knows that there is this chat.
        doubted: what was seen of it may be lost.
    """

    def __init__(self, chat_id: int, base: int, *, announced: bool) -> None:
        super().__init__(chat_id=chat_id)
        self.id = chat_id
        self.base = base
        self.announced = announced
        self.doubted = False

    def begin(self, prev: int) -> None:
        """Show from its first live event on, whose predecessor is `prev`."""
        if self.log.last is None:
            self.log.begin(min(self.base, prev))
            self.log.release()

    def doubt(self) -> None:
        """Something may be missed from here on: live events wait until it was read."""
        self.inside = False
        self.doubted = True
        self.log.begin(self.base)
        self.log.unsettle()


class Chats:
    """All chats this client knows of, by id.

    The first complete list says where each chat was when this client began to listen. A chat
    that is not in it was made since, so everything in it is news.

    Attributes:
        online: who this client says is online; None for nobody.
    """

    def __init__(self, line: Line) -> None:
        self.online: UserId | None = None
        self._line = line
        self._chats: dict[int, Chat] = {}
        self._listed = False
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._catch_up = CatchUp[Chat](line, self._lose)

    def located(self, frame: Frame) -> Frame:
        """The frame, with the chat of the message it is about where the server names no place."""
        message_id = frame.data.get("messageId") if isinstance(frame.data, dict) else None
        if not isinstance(message_id, int) or "room" in frame.data or "chatId" in frame.data:
            return frame
        if frame.room is not None or frame.chat_id is not None:
            return frame
        return frame._replace(chat_id=self._chat_of(message_id))

    def is_news(self, event: Event) -> bool:
        """Learn from an event; return whether the application does not know of it yet."""
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

    def is_next(self, entry: Entry) -> bool:
        """Take a live event of a chat; return whether it is to be shown now.

        The first event of a chat that is not known begins it.
        """
        at = entry.at
        if at.chat_id is None:
            return True
        chat = self._chats.get(at.chat_id)
        if chat is None:
            chat = self._add(at.chat_id, 0 if self._listed else at.prev, announced=False)
        chat.begin(at.prev)
        return self._catch_up.is_next(chat, entry)

    def remember(self, chat_id: int, items: Sequence[Said]) -> None:
        """Take note of messages that the application was given as history."""
        if (chat := self._chats.get(chat_id)) is not None:
            chat.log.remember(items)

    def list(self, chats: Sequence[ChatInfo], *, complete: bool = False) -> None:
        """Take a list of chats; `complete` if it is of all of them."""
        for info in chats:
            if info.id in self._chats:
                self._chats[info.id].announced = True
            elif self._listed:
                chat = self._add(info.id, 0, announced=True)
                chat.doubt()
                self._line.spawn(self._read_missed(chat))
            else:
                last = info.last_message
                self._add(info.id, last.seq if last else 0, announced=True)
            if info.last_message is not None:
                self.remember(info.id, [info.last_message])
        self._listed = self._listed or complete

    def forget(self) -> None:
        """The user went offline: nothing comes any more, and nothing is missed."""
        self.online = None
        self._listed = False
        self._chats.clear()

    def connection_lost(self) -> None:
        """Nothing comes for now, and what does not come is missed."""
        for chat in self._chats.values():
            chat.doubt()

    async def come_again(self) -> None:
        """After a reconnect: be online again, and catch up with what was missed."""
        if self.online is None and not self._listed and not self._chats:
            return
        missed = [chat for chat in self._chats.values() if not chat.inside]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._come_online())
            for chat in missed:
                tasks.create_task(self._read_missed(chat))

    async def _come_online(self) -> None:
        """Say so again; then look for chats that were made meanwhile."""
        ask = self._line.ask
        try:
            if self.online is not None:
                await patiently(lambda: ask("userOnline", {"userId": self.online}, repeat=False))
            answer = await patiently(
                lambda: ask("getChats", {"userId": self._line.user}, repeat=False)
            )
        except ChatError as error:
            told = ServerError(code=error.code, message=error.message, retryable=error.retryable)
            self._line.show([told])
        else:
            self.list(msgspec.convert(answer.beside, list[ChatInfo]), complete=True)

    async def _read_missed(self, chat: Chat) -> None:
        async with self._turns:
            chat.inside = True
            count = await self._catch_up.fill(chat)
            if chat.doubted:
                chat.doubted = False
                try:
                    await self._catch_up.find_lost(chat)
                except BaseException:
                    chat.doubted = True
                    raise
        if self._chats.get(chat.id) is chat:
            await self._line.space()
            self._line.show([CaughtUp(chat_id=chat.id, count=count)])

    def _add(self, chat_id: int, base: int, *, announced: bool) -> Chat:
        chat = self._chats[chat_id] = Chat(chat_id, base, announced=announced)
        chat.inside = True
        return chat

    def _is_new(self, made: NewChat) -> bool:
        """Whether this is the first that is heard of a chat; the server may say it again."""
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
        """Its history is refused: it was deleted meanwhile."""
        if self._chats.get(chat.id) is not chat:
            return
        del self._chats[chat.id]
        if error.code == "not_found":
            self._line.show([ChatDeleted(id=chat.id)])
        else:
            told = ServerError(code=error.code, message=error.message, retryable=error.retryable)
            self._line.show([told])
