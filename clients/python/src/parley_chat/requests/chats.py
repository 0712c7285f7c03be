"""Requests about direct chats, and about users who are online."""

import asyncio
import contextlib
import secrets

import msgspec

from parley_chat.errors import ChatError, ConnectionLost
from parley_chat.events.answers import SentMessage
from parley_chat.events.kinds import ChatInfo, NewChat, NewMessage, UserId
from parley_chat.requests.requester import Requester, check_user


class ChatRequests(Requester):
    """Direct chats with other users, and presence.

    Every request here may raise, if the client has no name and is not online:
        ChatError: `unauthorized`.
    """

    @property
    def online(self) -> UserId | None:
        """User whom the client is online as; None if it is not."""
        return self._engine.chats.online

    async def go_online(self, user_id: UserId) -> list[ChatInfo]:
        """Go online, and receive events of the user's chats, now and after every reconnect.

        Args:
            user_id: The user. It becomes the client's name, if it has none.

        Returns:
            All chats; later messages come from `events()`.

        Raises:
            ValueError: it is not a valid user id.
            ChatError: `forbidden` if the client has another name.
        """
        check_user(user_id)
        answer = await self._ask("userOnline", {"userId": user_id})
        user: UserId = answer.data.get("user", user_id)  # as the server spells the name
        self._engine.username = str(user)
        self._engine.chats.online = user
        return await self.chats()

    async def go_offline(self) -> None:
        """Go offline, and receive no more events of chats."""
        user = self._engine.chats.online
        self._engine.chats.forget()
        self._engine.presence.forget()
        if user is not None:
            with contextlib.suppress(ConnectionLost):  # which is to have gone offline
                await self.request("userOffline", {"userId": user})

    async def online_users(self) -> list[UserId]:
        """Return the users who are online, once the server has sent them.

        Raises:
            ChatError: `unauthorized` if the client is not online.
        """
        if self._engine.chats.online is None:
            raise ChatError("unauthorized", "go online first")
        async with asyncio.timeout(self._deadline):
            return await self._engine.presence.users()

    async def chats(self) -> list[ChatInfo]:
        """List the user's chats, the one with the newest message first."""
        user = self._require_user()
        ask = self._engine.chats.list_all(user, lambda data: self._ask("getChats", data))
        return [*await ask]

    async def create_chat(self, other: UserId) -> NewChat:
        """Create the direct chat with another user, or return the one there is."""
        check_user(other)
        asked = {"user1Id": self._require_user(), "user2Id": other}
        return msgspec.convert((await self._ask("createChat", asked)).data, NewChat)

    async def send_to(
        self, user: UserId, content: str, client_msg_id: str | None = None
    ) -> SentMessage:
        """Send a message to another user; the chat is created if there is none.

        As with `send`, it is one message however often it has to be sent, and messages to a user
        keep the order of the calls.

        Args:
            user: The receiver.
            content: Up to `max_content` characters.
            client_msg_id: Id of the message among those of this user in the chat; the same id
                again is the same message.

        Raises:
            ValueError: it is not a valid user id.
            ChatError: `too_long`; `bad_request` for a text that is empty, or has NUL or half of a
                surrogate pair.
        """
        check_user(user)
        self._engine.limits.check_content(content)
        message = {
            "senderId": self._require_user(),
            "receiverId": user,
            "content": content,
            "clientMsgId": client_msg_id or secrets.token_urlsafe(12),
        }
        return await self._send_message("sendMessage", message, idempotent=True)

    async def messages(
        self, chat_id: int, before: int | None = None, limit: int = 100
    ) -> list[NewMessage]:
        """Read messages of a chat, oldest first: the newest, or those before a `seq`.

        Deleted messages are left out. There are fewer than `limit` only where the chat has no more,
        or where messages are very long; an empty list is the end.

        Args:
            chat_id: A chat of the user.
            before: Read messages before this `seq`.
            limit: Number of messages, up to 1,000.

        Raises:
            ChatError: `not_found`.
        """
        self._require_user()
        asked = {"chatId": chat_id, "limit": limit}
        found: list[NewMessage] = []
        while True:
            if before is not None:
                asked["before"] = before
            answer = await self._ask("getMessages", asked)
            found = msgspec.convert(answer.beside, list[NewMessage])
            before = answer.data.get("next")
            if found or before is None:
                self._engine.chats.remember(chat_id, found)
                return found

    async def mark_as_seen(self, message_id: int) -> None:
        """Mark a direct message and all before it as seen; its sender is told.

        Raises:
            ChatError: `not_found`; `forbidden` for a message of yours.
        """
        await self._ask("markAsSeen", {"messageId": message_id})
