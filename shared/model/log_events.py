"""The registry of the events of room logs.

Each class defines one kind of event completely: its encoding in stream and log (its tag, and its
fields in their order), its row in SQL, its changes to the room, and the event that clients get.
docs/how-to/add-an-event.md has the recipe for a new one.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from shared.model.changes import (
    SEQ,
    Change,
    Dropped,
    Floor,
    Gone,
    RoomChange,
    StandingChange,
)
from shared.model.kinds import LOCATION, AnnouncedAs, LogEvent, StoredAs, UserName


class MessagePosted(LogEvent, frozen=True, tag="message"):
    """A message. Its sender, room and client_msg_id together identify it for ever.

    Nearly all events are messages, so code that handles events may test for this kind first.
    `gateway/protocols/announcements.py` has its announcement.
    """

    sender: str
    content: str
    client_msg_id: str

    stored = StoredAs(
        {"message": {}},
        {"sender": "sender", "content": "content", "client_msg_id": "client_msg_id"},
    )


class HistoryCleared(LogEvent, frozen=True, tag="clear"):
    """All messages of the room before this event were deleted.

    The room's floor is this event's `seq` from here on.

    Attributes:
        by: the user who deleted them.
    """

    by: UserName

    stored = StoredAs({"clear": {}}, {"sender": "by"})
    announced_as = AnnouncedAs("deleteMessages", LOCATION, note="All messages have been deleted")

    def changes(self) -> Sequence[Change]:
        """A new floor."""
        return (Floor(),)


class MessageDeleted(LogEvent, frozen=True, tag="delete"):
    """One message was deleted. Its `seq` stays taken; history shows it without text.

    Attributes:
        by: the user who deleted it.
        message_id: id of the message.
        message_seq: `seq` of the message.
    """

    by: UserName
    message_id: int
    message_seq: int

    stored = StoredAs(
        {"delete": {}},
        {"sender": "by", "target_id": "message_id", "target_seq": "message_seq"},
    )
    announced_as = AnnouncedAs("messageDeleted", ("message_id", "seq", "prev"))

    def changes(self) -> Sequence[Change]:
        """The deletion of one message."""
        return (Gone(self.message_seq),)


class RoomDeleted(LogEvent, frozen=True, tag="drop"):
    """The room was deleted with all of its messages. Its key may be used again, with a new id.

    SQL keeps nothing of its log, and not this event either. It is the last event of the log, so
    clients get an event about the chat, without a seq (`gateway/protocols/announcements.py`).
    """

    by: UserName

    def changes(self) -> Sequence[Change]:
        """The deletion of the room."""
        return (Dropped(),)


class RuleChange(LogEvent, frozen=True):
    """An event that changes the permissions of users in its room."""

    @property
    def by(self) -> str:
        """The user who acted. Each kind has it as a field, at its own position."""
        raise NotImplementedError


class Kicked(RuleChange, frozen=True, tag="kick"):
    """A user was removed from the room, and may join again.

    What let them in before this event, a grant for example, lets them in no more.

    Attributes:
        user: the user who was removed.
        by: the user who removed them.
    """

    user: UserName
    by: UserName

    stored = StoredAs({"kick": {}}, {"sender": "by", "target_user": "user"})
    announced_as = AnnouncedAs("kicked", (*LOCATION, "user", "by"))

    def changes(self) -> Sequence[Change]:
        """The seq of the user's last kick."""
        return (StandingChange(self.user, {"kicked": SEQ}),)


class Banned(RuleChange, frozen=True, tag="ban"):
    """A user was removed from the room and may not join again; a moderator is none any more.

    Attributes:
        user: the user who was banned.
        by: the user who banned them.
    """

    user: UserName
    by: UserName

    stored = StoredAs({"ban": {}}, {"sender": "by", "target_user": "user"})
    announced_as = AnnouncedAs("banned", (*LOCATION, "user", "by"))

    def changes(self) -> Sequence[Change]:
        """All standings of the user."""
        return (StandingChange(self.user, {"kicked": SEQ, "banned": True, "moderator": False}),)


class Unbanned(RuleChange, frozen=True, tag="unban"):
    """A banned user may join the room again.

    Attributes:
        user: the user.
        by: the user who ended the ban.
    """

    user: UserName
    by: UserName

    stored = StoredAs({"unban": {}}, {"sender": "by", "target_user": "user"})
    announced_as = AnnouncedAs("unbanned", (*LOCATION, "user", "by"))

    def changes(self) -> Sequence[Change]:
        """The end of the ban."""
        return (StandingChange(self.user, {"banned": False}),)


class ModeratorChanged(RuleChange, frozen=True, tag="moderate"):
    """A user was made a moderator of the room, or is none any more.

    Attributes:
        user: the user.
        by: the user who decided it.
        moderator: true if the user is a moderator from here on.
    """

    user: UserName
    by: UserName
    moderator: bool

    stored = StoredAs(
        {"promote": {"moderator": True}, "demote": {"moderator": False}},
        {"sender": "by", "target_user": "user"},
    )
    announced_as = AnnouncedAs("moderatorChanged", (*LOCATION, "user", "by", "moderator"))

    def changes(self) -> Sequence[Change]:
        """The user's standing as moderator."""
        return (StandingChange(self.user, {"moderator": self.moderator}),)


class PasswordChanged(RuleChange, frozen=True, tag="password"):
    """The password of the room was changed or removed. Users in the room stay.

    Attributes:
        by: the user who changed it.
        protected: true if joining takes a password from here on.
        password_hash: an argon2id hash, empty for an open room, and where the event was read from
            SQL: what is past is not kept.
    """

    by: UserName
    protected: bool
    password_hash: str = ""

    stored = StoredAs(
        {"lock": {"protected": True}, "unlock": {"protected": False}}, {"sender": "by"}
    )
    announced_as = AnnouncedAs("passwordChanged", (*LOCATION, "by", "protected"))

    def changes(self) -> Sequence[Change]:
        """The password, and the seq since which it is valid."""
        return (RoomChange({"password_seq": SEQ}, secret={"password_hash": self.password_hash}),)


LOG_EVENTS: Final[Sequence[type[LogEvent]]] = (
    MessagePosted,
    HistoryCleared,
    MessageDeleted,
    RoomDeleted,
    Kicked,
    Banned,
    Unbanned,
    ModeratorChanged,
    PasswordChanged,
)
"""All kinds of events of room logs."""

BY_ROW: Final[Mapping[str, type[LogEvent]]] = {
    row: kind for kind in LOG_EVENTS if kind.stored for row in kind.stored.kinds
}
"""The kinds that SQL stores, by the values of its column `kind`."""
