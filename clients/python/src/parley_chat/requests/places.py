"""What is asked about a room and a direct chat alike."""

import contextlib
from typing import overload

import msgspec

from parley_chat.connection.wire import Data
from parley_chat.engine import State
from parley_chat.errors import ConnectionLost
from parley_chat.events.answers import ChatHistoryPage, HistoryPage
from parley_chat.requests.asking import Asking


class PlaceRequests(Asking):
    """Read history, type, have seen, delete: `room` names a room, `chat_id` a chat."""

    def typing_in(self, room: str | None = None, *, chat_id: int | None = None) -> list[str]:
        """Who else is typing in a room or a chat."""
        return self._engine.typists.names(chat_id if room is None else room)

    async def typing(self, room: str | None = None, *, chat_id: int | None = None) -> None:
        """Be seen typing by the others for 2.2 s; without a connection it does nothing."""
        where = _where(room, chat_id)
        if self._engine.state is State.CONNECTED:
            with contextlib.suppress(ConnectionLost):
                await self.request("typing", where, room=room)

    @overload
    async def history(
        self, room: str, *, before: int | None = None, after: int | None = None, limit: int = 100
    ) -> HistoryPage: ...

    @overload
    async def history(
        self,
        *,
        chat_id: int,
        before: int | None = None,
        after: int | None = None,
        limit: int = 100,
    ) -> ChatHistoryPage: ...

    async def history(
        self,
        room: str | None = None,
        *,
        chat_id: int | None = None,
        before: int | None = None,
        after: int | None = None,
        limit: int = 100,
    ) -> HistoryPage | ChatHistoryPage:
        """Read a page of history: the newest, those before a place, or those after one.

        Args:
            room: one it is in; or else
            chat_id: one of the user's.
            before: a seq; not together with `after`.
            after: a seq.
            limit: messages at the most, up to 1,000.
        """
        known = {"before": before, "after": after, "limit": limit}
        asked = {name: value for name, value in known.items() if value is not None}
        answer = await self._ask("history", {**_where(room, chat_id), **asked}, room=room)
        if room is not None:
            return msgspec.convert(answer.data, HistoryPage)
        return msgspec.convert(answer.data, ChatHistoryPage)

    async def seen(self, room: str | None = None, *, chat_id: int | None = None, seq: int) -> None:
        """Have seen everything in a room or a chat up to a place; the others hear of it.

        Raises:
            ChatError: `unauthorized` for a client without a name.
        """
        await self._ask("seen", {**_where(room, chat_id), "seq": seq}, room=room)

    async def delete_message(self, message_id: int) -> None:
        """Delete a message of one's own, or one in a room where one is owner or moderator.

        One that is deleted already stays so.

        Raises:
            ChatError: `not_found`, also in a room it is not in; `forbidden` for another's.
        """
        room = self._engine.rooms.of_message(message_id)
        await self._ask("deleteMessage", {"messageId": message_id}, room=room)


def _where(room: str | None, chat_id: int | None) -> dict[str, Data]:
    if (room is None) == (chat_id is None):
        raise ValueError("give a room or a chat_id")
    return {"room": room} if chat_id is None else {"chatId": chat_id}
