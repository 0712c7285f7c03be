"""Typed events about the rules of rooms, and about the standing of users in them."""

from parley_chat.events.kinds import Event, UserId


class RuleChange(Event, frozen=True, kw_only=True):
    """A change of a room's rules or of a user's standing in it.

    Attributes:
        seq: Number of the event in the room.
        prev: The `seq` of the event before it.
        by: User who made the change.
    """

    room: str
    seq: int
    prev: int
    by: UserId


class Kicked(RuleChange, frozen=True, kw_only=True, tag="kicked"):
    """A user was removed from the room; that user's own client also gets `RoomLost`."""

    user: UserId


class Banned(RuleChange, frozen=True, kw_only=True, tag="banned"):
    """A user was removed from the room, and cannot join it until the ban is taken back."""

    user: UserId


class Unbanned(RuleChange, frozen=True, kw_only=True, tag="unbanned"):
    """A ban was taken back: the user can join again."""

    user: UserId


class BanLifted(Event, frozen=True, kw_only=True, tag="banLifted"):
    """The user of this client, who is not in this room, is banned from it no more.

    It comes only of rooms without a password.
    """

    room: str


class ModeratorChanged(RuleChange, frozen=True, kw_only=True, tag="moderatorChanged"):
    """A user became a moderator of the room, or stopped being one."""

    user: UserId
    moderator: bool


class PasswordChanged(RuleChange, frozen=True, kw_only=True, tag="passwordChanged"):
    """The password of the room was changed or removed; members stay in the room."""

    protected: bool
