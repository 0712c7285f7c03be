"""Requests about a room or a direct chat."""

import contextlib
from typing import overload

from parley_chat.connection.state import State
from parley_chat.connection.wire import Data
from parley_chat.errors import ConnectionLost
from parley_chat.events.answers import ChatHistoryPage, HistoryPage, read_page
from parley_chat.requests.requester import Requester


class PlaceRequests(Requester):
    """History, typing, seen and deletion: `room` names a room, `chat_id` a chat."""

    def typing_users(self, room: str | None = None, *, chat_id: int | None = None) -> list[str]:
        """Return the other users who are typing in a room or a chat."""
        joined = self._engine.rooms.get(room)
        return self._engine.typing_tracker.names(joined.name if joined else room or chat_id)

    async def typing(self, room: str | None = None, *, chat_id: int | None = None) -> None:
        """Show the others that you are typing, for 2.2 s; without a connection it does nothing."""
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
        """Read a page of history: the newest messages, or those before or after a `seq`.

        It has as many messages as were asked for, or all that there are. Deleted ones may be among
        them and are not counted.

        Args:
            room: A room that the client has joined; or
            chat_id: A chat of the user.
            before: Read messages before this `seq`; not together with `after`.
            after: Read messages after this `seq`.
            limit: Number of messages, up to 1,000.
        """
        while True:
            known = {"before": before, "after": after, "limit": limit}
            asked = {name: value for name, value in known.items() if value is not None}
            answer = await self._ask("history", {**_where(room, chat_id), **asked}, room=room)
            page = read_page(answer.data, chat=room is None, after=after, limit=limit)
            # A page of deleted messages alone shows nothing: go on to what is behind them.
            if page.next is None or page.partial or any(not item.deleted for item in page.items):
                return page
            before, after = (page.next, None) if after is None else (None, page.next)

    async def seen(self, room: str | None = None, *, chat_id: int | None = None, seq: int) -> None:
        """Mark all messages of a room or a chat up to a `seq` as seen; the others are told.

        Raises:
            ChatError: `unauthorized` if the client has no name.
        """
        await self._ask("seen", {**_where(room, chat_id), "seq": seq}, room=room)

    async def delete_message(self, message_id: int) -> None:
        """Delete a message of yours, or any in a room of which you are owner or moderator.

        A message that is deleted already stays deleted.

        Raises:
            ChatError: `not_found`, also for a message in a room that the client has not joined;
                `forbidden` for a message of another user.
        """
        room = self._engine.rooms.of_message(message_id)
        await self._ask("deleteMessage", {"messageId": message_id}, room=room)


def _where(room: str | None, chat_id: int | None) -> dict[str, Data]:
    if (room is None) == (chat_id is None):
        raise ValueError("give a room or a chat_id")
    return {"room": room} if chat_id is None else {"chatId": chat_id}
