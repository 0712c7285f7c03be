"""What is asked about rooms."""

import contextlib
import secrets

import msgspec

from parley_chat.connection.wire import Data
from parley_chat.errors import ConnectionLost
from parley_chat.events.answers import Accepted, Joined, RoomInfo
from parley_chat.events.kinds import RoomCreated, UserId
from parley_chat.requests.asking import Asking, check_user


class RoomRequests(Asking):
    """Make, enter and leave rooms, and talk there."""

    @property
    def rooms(self) -> list[str]:
        """The rooms it is in."""
        return self._engine.rooms.names()

    async def create_room(self, name: str, password: str | None = None) -> RoomCreated:
        """Make a room; this client is not in it yet.

        Raises:
            ChatError: `room_exists`.
        """
        asked = {"name": name, **({} if password is None else {"password": password})}
        return msgspec.convert(await self.request("createRoom", asked), RoomCreated)

    async def join_room(self, room: str, password: str | None = None) -> Joined:
        """Enter a room, now and after every reconnect.

        Returns:
            The newest messages; those that follow come by `events()`.

        Raises:
            ChatError: `forbidden` for no such room and for a wrong password.
        """
        return await self._persist(lambda: self._engine.rooms.join(room, password))

    async def leave_room(self, room: str) -> None:
        """Leave a room; one it is not in is left already."""
        left = self._engine.rooms.leave(room)
        if left is None or not left.inside:
            return
        with contextlib.suppress(ConnectionLost):  # which is to have left
            await self.request("leaveRoom", {"room": room})

    async def get_rooms(self, after: str = "", limit: int = 1000) -> list[RoomInfo]:
        """List rooms by name.

        Args:
            after: those whose names come after this one.
            limit: at the most, up to 1,000.
        """
        answer = await self._ask("getRooms", {"after": after, "limit": limit})
        return msgspec.convert(answer.beside, list[RoomInfo])

    async def send(self, room: str, content: str, client_msg_id: str | None = None) -> Accepted:
        """Say something in a room.

        It is one message however often it had to be sent. Sends of one room keep the order of
        their calls, also when one is called before the last is answered, as long as none meets
        a retryable error.

        Args:
            room: one it is in.
            content: up to 4,000 characters, if the server was not told otherwise.
            client_msg_id: names the message among those of this user in the room; the same one
                again is the same message.

        Raises:
            ChatError: `not_joined`, `too_long`, `forbidden`.
        """
        message = {
            "room": room,
            "content": content,
            "clientMsgId": client_msg_id or secrets.token_urlsafe(12),
        }
        repeat = self.user is not None  # else it would be another sender's message
        return await self._say("message", message, room=room, repeat=repeat)

    async def kick(self, room: str, user: UserId) -> None:
        """Put a user out of a room; they may enter again if it opens to them.

        Raises:
            ValueError: it cannot be a user.
            ChatError: `forbidden` for those who are not more than the user in the room.
        """
        await self._about("kick", room, user)

    async def ban(self, room: str, user: UserId) -> None:
        """Put a user out of a room for good; raises as `kick`."""
        await self._about("ban", room, user)

    async def unban(self, room: str, user: UserId) -> None:
        """Let a user enter again, as the room's owner; raises as `kick`."""
        await self._about("unban", room, user)

    async def set_moderator(self, room: str, user: UserId, *, moderator: bool = True) -> None:
        """Make a user a moderator, or none any more, as the room's owner; raises as `kick`."""
        await self._about("setModerator", room, user, moderator=moderator)

    async def set_password(self, room: str, password: str | None = None) -> None:
        """Protect a room by another password, or by none, as its owner; who is inside stays.

        Raises:
            ChatError: `forbidden` for others.
        """
        asked: dict[str, Data] = {"room": room, "password": password or ""}
        await self._ask("setPassword", asked, room=room)
        if known := self._engine.rooms.get(room):
            known.password = password

    async def _about(self, event: str, room: str, user: UserId, **more: Data) -> None:
        check_user(user)
        # A kick that is asked twice might put out who has come back in between.
        repeat = event != "kick"
        await self._ask(event, {"room": room, "user": user, **more}, room=room, repeat=repeat)

    async def delete_messages(self, room: str) -> None:
        """Delete everything said in a room so far, for everyone."""
        await self.request("deleteMessages", {"room": room}, room=room)
