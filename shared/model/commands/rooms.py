"""Commands about named rooms."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from shared.model.commands.base import Command, MemberCommand
from shared.model.fields import (
    ClientMsgId,
    Grant,
    Limit,
    Name,
    Password,
    Seq,
    UserId,
    check_text,
)
from shared.protocol.limits import MAX_NAME_CHARACTERS, MAX_PAGE_ITEMS


class CreateRoom(Command, frozen=True, kw_only=True):
    """Create a room, which its creator owns. Guests, and clients without a name, own nothing.

    Attributes:
        name: name of the room, unique in the installation: names that differ in capitals, spaces
            or what cannot be seen are the same.
        password: password for joining; without one, or with an empty one, the room is open.
    """

    name: Name
    password: Password | None = None

    def __post_init__(self) -> None:
        check_text(self.name)
        check_text(self.password or "")


class JoinRoom(Command, frozen=True, kw_only=True):
    """Enter a room, get its newest messages, and subscribe to its events.

    Attributes:
        room: name of the room.
        username: user name for the connection, where it has none yet.
        password: password of the room.
        grant: what an earlier `joinRoom` of this room replied; it stands for the password.
    """

    room: Name
    username: Name | None = None
    password: Password | None = None
    grant: Grant | None = None

    def __post_init__(self) -> None:
        check_text(self.room)
        check_text(self.password or "")
        if self.username is not None:
            check_text(self.username)


class GetRooms(Command, frozen=True, kw_only=True):
    """List rooms, by name.

    Attributes:
        after: only rooms whose names sort after this one: `next` of the page before.
        limit: number of rooms at most.
        partial: true to take, while the broker is away, the list as the database has it; the reply
            says so then. It may lack the newest rooms: do not forget those that you know.
    """

    after: Annotated[str, Meta(max_length=MAX_NAME_CHARACTERS)] = ""
    limit: Limit = MAX_PAGE_ITEMS
    partial: bool = False

    def __post_init__(self) -> None:
        check_text(self.after)


class LeaveRoom(Command, frozen=True, kw_only=True):
    """Leave a room. In a room that the connection is not in, nothing happens.

    Attributes:
        room: name of the room.
    """

    bare: ClassVar[str | None] = "room"
    room: Name


class SendMessage(Command, frozen=True, kw_only=True):
    """Send a message to a room.

    Attributes:
        room: name of the room.
        content: text of the message; the server's `maxContent` limits its characters and bytes.
        sender: the user who sends it: the connection's own. It may be left out.
        client_msg_id: name of this send, chosen by the client and new for each message. A send
            repeated with the same one is stored once.
        resend: set to true when the send is repeated after its connection was lost: the server
            then looks for it in the database too.
    """

    room: Name
    content: Annotated[str, Meta(min_length=1)]
    sender: Name | None = None
    client_msg_id: ClientMsgId | None = None
    resend: bool = False

    def __post_init__(self) -> None:
        check_text(self.content)
        check_text(self.client_msg_id or "")


class SetPassword(Command, frozen=True, kw_only=True):
    """Change the password of a room, or remove it. Users in the room stay.

    Attributes:
        room: name of the room.
        password: the new password; without one, or with an empty one, the room is open.
    """

    room: Name
    password: Password | None = None

    def __post_init__(self) -> None:
        check_text(self.room)
        check_text(self.password or "")


class Kick(MemberCommand, frozen=True, kw_only=True):
    """Remove a user from a room, on all their connections. They may join again."""


class Ban(MemberCommand, frozen=True, kw_only=True):
    """Remove a user from a room and keep them from joining again.

    The ban of a guest also keeps other guests of the same address from joining, for a while.
    """


class Unban(MemberCommand, frozen=True, kw_only=True):
    """Let a banned user join a room again."""


class SetModerator(MemberCommand, frozen=True, kw_only=True):
    """Make a user a moderator of a room, or end that.

    Attributes:
        moderator: true to make the user a moderator, false to end it.
    """

    moderator: bool


class GetStandings(Command, frozen=True, kw_only=True):
    """List the users who are banned from a room, or its moderators, in the order of their names.

    Attributes:
        room: name of the room.
        standing: `banned` or `moderator`.
        after: only users whose names sort after this one: the last of the page before.
        limit: number of users at most.
    """

    room: Name
    standing: Literal["banned", "moderator"] = "banned"
    after: UserId | None = None
    limit: Limit = MAX_PAGE_ITEMS


class GetModerationLog(Command, frozen=True, kw_only=True):
    """List what was done in a room by whom, the newest first.

    These are kicks, bans and their ends, changes of roles and of the password, deletions of the
    messages of others, and the room's creation.

    Attributes:
        room: name of the room.
        before: only what was done below this `seq`: the `next` of the page before.
        limit: number of entries at most.
    """

    room: Name
    before: Seq | None = None
    limit: Limit = MAX_PAGE_ITEMS


class DeleteMessages(Command, frozen=True, kw_only=True):
    """Delete all messages of a room sent so far.

    Attributes:
        room: name of the room.
    """

    bare: ClassVar[str | None] = "room"
    room: Name

    def __post_init__(self) -> None:
        check_text(self.room)
