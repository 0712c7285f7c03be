"""What is asked about direct chats, and about who is online."""

import asyncio
import contextlib
import secrets

import msgspec

from parley_chat.errors import ChatError, ConnectionLost
from parley_chat.events.answers import Accepted
from parley_chat.events.kinds import ChatInfo, NewChat, NewMessage, UserId
from parley_chat.requests.asking import Asking, check_user


class ChatRequests(Asking):
    """Come online, and talk to other users.

    Every request here may raise, where this client has neither a name nor come online:
        ChatError: `unauthorized`.
    """

    @property
    def online(self) -> UserId | None:
        """The user it is online as."""
        return self._engine.chats.online

    async def go_online(self, user_id: UserId) -> list[ChatInfo]:
        """Be seen online, and hear of the user's chats, now and after every reconnect.

        Args:
            user_id: the client's name, if it has one.

        Returns:
            All chats; what is said from now on comes by `events()`.

        Raises:
            ValueError: it cannot be a user's id.
            ChatError: `forbidden` when the client has another name.
        """
        check_user(user_id)
        await self._ask("userOnline", {"userId": user_id})
        self._engine.username = str(user_id)
        self._engine.chats.online = user_id
        return await self.chats()

    async def go_offline(self) -> None:
        """Be seen online no more, and hear of chats no more."""
        user = self._engine.chats.online
        self._engine.chats.forget()
        self._engine.presence.forget()
        if user is not None:
            with contextlib.suppress(ConnectionLost):  # which is to have gone offline
                await self.request("userOffline", {"userId": user})

    async def online_users(self) -> list[UserId]:
        """Who is online, as last told; waits for the first telling after coming online.

        Raises:
            ChatError: `unauthorized` while it is not online.
        """
        if self._engine.chats.online is None:
            raise ChatError("unauthorized", "come online first")
        async with asyncio.timeout(self._deadline):
            return await self._engine.presence.users()

    async def chats(self) -> list[ChatInfo]:
        """List the user's chats, the one with the latest news first."""
        answer = await self._ask("getChats", {"userId": self._me()})
        chats = msgspec.convert(answer.beside, list[ChatInfo])
        self._engine.chats.list(chats, complete=True)
        return chats

    async def create_chat(self, other: UserId) -> NewChat:
        """Make the direct chat with another user, or find it: there is one for a pair."""
        check_user(other)
        asked = {"user1Id": self._me(), "user2Id": other}
        return msgspec.convert((await self._ask("createChat", asked)).data, NewChat)

    async def send_to(
        self, user: UserId, content: str, client_msg_id: str | None = None
    ) -> Accepted:
        """Say something to another user; the chat is made if there is none.

        As for `send`, it is one message however often it had to be sent, and sends to one user
        keep the order of their calls.

        Args:
            user: the other one.
            content: up to 4,000 characters, if the server was not told otherwise.
            client_msg_id: names the message among those of this user in the chat; the same one
                again is the same message.

        Raises:
            ValueError: it cannot be a user's id.
            ChatError: `too_long`.
        """
        check_user(user)
        message = {
            "senderId": self._me(),
            "receiverId": user,
            "content": content,
            "clientMsgId": client_msg_id or secrets.token_urlsafe(12),
        }
        return await self._say("sendMessage", message, repeat=True)

    async def messages(
        self, chat_id: int, before: int | None = None, limit: int = 100
    ) -> list[NewMessage]:
        """Read messages of a chat, oldest first: the newest, or those before a place.

        Deleted ones are left out; `history` has them.

        Args:
            chat_id: one of the user's.
            before: a seq.
            limit: messages at the most, up to 1,000.

        Raises:
            ChatError: `not_found`.
        """
        self._me()
        asked = {"chatId": chat_id, "limit": limit}
        if before is not None:
            asked["before"] = before
        found = msgspec.convert((await self._ask("getMessages", asked)).beside, list[NewMessage])
        self._engine.chats.remember(chat_id, found)
        return found

    async def mark_as_seen(self, message_id: int) -> None:
        """Have seen a direct message, and all before it; its sender hears of it.

        Raises:
            ChatError: `not_found`, `forbidden` for a message of one's own.
        """
        await self._ask("markAsSeen", {"messageId": message_id})
