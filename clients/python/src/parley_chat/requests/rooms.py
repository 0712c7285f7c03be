"""Requests about rooms."""

import contextlib
import secrets

import msgspec

from parley_chat.connection.wire import Data
from parley_chat.constants import MAX_PAGE_ITEMS
from parley_chat.errors import ConnectionLost
from parley_chat.events.answers import (
    ActPage,
    JoinedRoom,
    MemberResult,
    RoomInfo,
    SentMessage,
    UserPage,
)
from parley_chat.events.kinds import RoomCreated, UserId
from parley_chat.requests.requester import Requester, check_user


class RoomRequests(Requester):
    """Creating, joining and leaving rooms, messages there, and their rules."""

    @property
    def rooms(self) -> list[str]:
        """Names of the rooms that were joined."""
        return self._engine.rooms.names()

    def joined_name(self, room: str) -> str:
        """Return a room's name as the server spells it, where it was joined by another spelling."""
        joined = self._engine.rooms.get(room)
        return room if joined is None else joined.name

    async def create_room(self, name: str, password: str | None = None) -> RoomCreated:
        """Create a room, without joining it.

        Raises:
            ChatError: `room_exists`.
        """
        asked = {"name": name, **({} if password is None else {"password": password})}
        return msgspec.convert(await self.request("createRoom", asked), RoomCreated)

    async def join_room(self, room: str, password: str | None = None) -> JoinedRoom:
        """Join a room, now and after every reconnect.

        The name may be in another spelling than the server's, which the answer and events have.
        Requests may have either.

        Returns:
            The newest messages; later ones come from `events()`.

        Raises:
            ChatError: `forbidden` if there is no such room, or the password is wrong, or with the
                reason "banned" if the user is banned from a room without a password.
        """
        return await self._retry(lambda: self._engine.rooms.join(room, password))

    async def leave_room(self, room: str) -> None:
        """Leave a room; nothing happens if it was not joined."""
        left = self._engine.rooms.leave(room)
        if left is None or not left.subscribed:
            return
        with contextlib.suppress(ConnectionLost):  # which is to have left
            await self.request("leaveRoom", {"room": left.name})

    async def get_rooms(self, after: str = "", limit: int = 1000) -> list[RoomInfo]:
        """List rooms by name.

        Args:
            after: List rooms with names after this one.
            limit: Number of rooms, up to 1,000.
        """
        found: list[RoomInfo] = []
        at: str | None = after
        while at is not None and len(found) < limit:
            # A page has fewer rooms than were asked for where their names are long.
            answer = await self._ask("getRooms", {"after": at, "limit": limit - len(found)})
            found += msgspec.convert(answer.beside, list[RoomInfo])
            at = answer.data.get("next")
        return found

    async def send(self, room: str, content: str, client_msg_id: str | None = None) -> SentMessage:
        """Send a message to a room.

        It is one message however often it has to be sent. Messages to a room keep the order of
        the calls, even if a call does not wait for the one before it, unless one meets a
        retryable error.

        Args:
            room: A room that the client has joined.
            content: Up to `max_content` characters.
            client_msg_id: Id of the message among those of this user in the room; the same id
                again is the same message.

        Raises:
            ChatError: `not_joined`, `too_long`, `forbidden`; `bad_request` for a text that is
                empty, or has NUL or half of a surrogate pair.
        """
        self._engine.limits.check_content(content)
        message = {
            "room": room,
            "content": content,
            "clientMsgId": client_msg_id or secrets.token_urlsafe(12),
        }
        idempotent = self.user is not None  # without a name, the next connection is another user
        return await self._send_message("message", message, room=room, idempotent=idempotent)

    async def kick(self, room: str, user: UserId) -> MemberResult:
        """Remove a user from a room, who can join again as before.

        Raises:
            ValueError: it is not a valid user id.
            ChatError: `forbidden` unless your standing in the room is higher than the user's.
        """
        return await self._about("kick", room, user)

    async def ban(self, room: str, user: UserId) -> MemberResult:
        """Remove a user from a room, who cannot join again until `unban`; raises as `kick`."""
        return await self._about("ban", room, user)

    async def unban(self, room: str, user: UserId) -> MemberResult:
        """Take a ban back, as the owner of the room; raises as `kick`."""
        return await self._about("unban", room, user)

    async def set_moderator(
        self, room: str, user: UserId, *, moderator: bool = True
    ) -> MemberResult:
        """Make a user a moderator of a room you own, or take that back; raises as `kick`."""
        return await self._about("setModerator", room, user, moderator=moderator)

    async def banned(
        self, room: str, after: UserId | None = None, limit: int = MAX_PAGE_ITEMS
    ) -> UserPage:
        """List the users who are banned from a room, by name.

        Args:
            room: A room of which you are the owner or a moderator.
            after: List users with names after this one: the last of the page before.
            limit: Number of users, up to 1,000.

        Raises:
            ChatError: `forbidden` for ordinary members.
        """
        return await self._standings(room, "banned", after, limit)

    async def moderators(
        self, room: str, after: UserId | None = None, limit: int = MAX_PAGE_ITEMS
    ) -> UserPage:
        """List the moderators of a room, as `banned` lists those who are banned."""
        return await self._standings(room, "moderator", after, limit)

    async def moderation_log(
        self, room: str, before: int | None = None, limit: int = MAX_PAGE_ITEMS
    ) -> ActPage:
        """List what was done in a room by whom, the newest first.

        Args:
            room: Name of the room.
            before: `next` of the part before.
            limit: Number of entries, up to 1,000.

        Raises:
            ChatError: `forbidden` for ordinary members.
        """
        asked: dict[str, Data] = {"room": room, "limit": limit}
        if before is not None:
            asked["before"] = before
        return msgspec.convert(
            (await self._ask("getModerationLog", asked, room=room)).data, ActPage
        )

    async def set_password(self, room: str, password: str | None = None) -> None:
        """Change or remove the password of a room you own; members stay in it.

        Raises:
            ChatError: `forbidden` for users who do not own it.
        """
        asked: dict[str, Data] = {"room": room, "password": password or ""}
        await self._ask("setPassword", asked, room=room)
        if known := self._engine.rooms.get(room):
            known.password = password

    async def _about(self, event: str, room: str, user: UserId, **more: Data) -> MemberResult:
        check_user(user)
        # A kick that is sent twice might remove a user who has joined again in between.
        idempotent = event != "kick"
        answer = await self._ask(
            event, {"room": room, "user": user, **more}, room=room, idempotent=idempotent
        )
        return msgspec.convert(answer.data, MemberResult)

    async def _standings(
        self, room: str, standing: str, after: UserId | None, limit: int
    ) -> UserPage:
        asked: dict[str, Data] = {"room": room, "standing": standing, "limit": limit}
        if after is not None:
            asked["after"] = after
        return msgspec.convert((await self._ask("getStandings", asked, room=room)).data, UserPage)

    async def delete_messages(self, room: str) -> None:
        """Delete all messages of a room so far, for everyone."""
        await self.request("deleteMessages", {"room": room}, room=room)
