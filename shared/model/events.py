"""What happened: the events of a room's log, and signals that are not kept."""

from typing import Final, Literal, get_args

import msgspec

Kind = Literal["room", "direct"]


class RoomCreated(msgspec.Struct, frozen=True, array_like=True, tag="create"):
    """A room exists from here on. In the partition's stream only: it is no place in the room.

    Attributes:
        key: the room's key, unique in the cluster.
        password_hash: an argon2id hash, empty for an open room.
        creator: the user who made it.
        user1, user2: whose direct chat it is, as they were named; empty for a named room.
    """

    kind: Kind
    key: str
    name: str
    password_hash: str
    creator: str
    user1: str = ""
    user2: str = ""


class MessagePosted(msgspec.Struct, frozen=True, array_like=True, tag="message"):
    """A message. (sender, room, client_msg_id) names it once and for all."""

    sender: str
    content: str
    client_msg_id: str


class HistoryCleared(msgspec.Struct, frozen=True, array_like=True, tag="clear"):
    """Every message before this event is deleted: the room's floor is this event's `seq`."""

    by: str


class MessageDeleted(msgspec.Struct, frozen=True, array_like=True, tag="delete"):
    """One message is deleted by its sender; its place keeps a tombstone."""

    by: str
    message_id: int
    message_seq: int


class RoomDeleted(msgspec.Struct, frozen=True, array_like=True, tag="drop"):
    """The room is gone with all it held; its key may be used again, under a new id."""

    by: str


class Kicked(msgspec.Struct, frozen=True, array_like=True, tag="kick"):
    """A user is in the room no more; what let them in before this event lets them in no more."""

    user: str
    by: str


class Banned(msgspec.Struct, frozen=True, array_like=True, tag="ban"):
    """As `Kicked`, and the user may not enter again; a moderator is none any more."""

    user: str
    by: str


class Unbanned(msgspec.Struct, frozen=True, array_like=True, tag="unban"):
    """A user who was banned may enter again."""

    user: str
    by: str


class ModeratorChanged(msgspec.Struct, frozen=True, array_like=True, tag="moderate"):
    """A user is a moderator of the room from here on, or is none any more."""

    user: str
    by: str
    moderator: bool


class PasswordChanged(msgspec.Struct, frozen=True, array_like=True, tag="password"):
    """The room's password is another one, or there is none. Who is inside stays.

    Attributes:
        protected: whether joining takes a password from here on.
        password_hash: an argon2id hash, empty for an open room, and where the event was read from
            SQL: what is past is not kept.
    """

    by: str
    protected: bool
    password_hash: str


class CursorMoved(msgspec.Struct, frozen=True, array_like=True, tag="seen"):
    """A user has seen everything up to `seq`. State, not log: it has no place in the room.

    Attributes:
        since: where the cursor was before.
        message_id: the message that was marked, if it was by marking one; else 0.
        origin: the connection that moved it.
        key, user1, user2: the direct chat, for gateways that do not follow it; empty for a named
            room, whose messages do not keep when they were seen.
        epoch: in which it moved; 0 where an older build moved it.
    """

    user: str
    seq: int
    since: int
    message_id: int
    origin: str
    key: str
    user1: str
    user2: str
    epoch: int = 0

    @property
    def direct(self) -> bool:
        """Whether the room is a direct chat."""
        return bool(self.key)


class Wake(msgspec.Struct, frozen=True, array_like=True, tag="wake"):
    """Signal on the control channel: a chat that was quiet has news.

    Its envelope has the room, id, seq and prev of the event that woke it.

    Attributes:
        created: the event is the chat's creation.
    """

    key: str
    user1: str
    user2: str
    created: bool


class Committed(msgspec.Struct, frozen=True, array_like=True, tag="committed"):
    """Signal on the control channel: SQL has a partition's events up to a position."""

    partition: int
    epoch: int
    position: int


class Notice(msgspec.Struct, frozen=True, array_like=True, tag="notice"):
    """Signal: a line of information for everyone but the connection `origin`."""

    content: str
    origin: str = ""


class TypingChanged(msgspec.Struct, frozen=True, array_like=True, tag="typing"):
    """Signal: `text` is "ann is typing..." or "", for everyone but the connection `origin`.

    Of a direct chat it names the users, and its envelope the room, for gateways that do not
    follow the chat.
    """

    text: str
    origin: str = ""
    user1: str = ""
    user2: str = ""


class Beat(msgspec.Struct, frozen=True, array_like=True, tag="beat"):
    """Signal: a gateway's incarnation lives: its n-th beat, connections, version of presence.

    It is the canary too: a gateway whose own beat comes back has a broker that works.
    """

    incarnation: str
    count: int
    connections: int
    presence: int = 0


class PresenceChanged(msgspec.Struct, frozen=True, array_like=True, tag="presence"):
    """Signal: who came online at a gateway, and who left it.

    Attributes:
        version: counts the changes of this incarnation; a gap means that one was missed.
    """

    incarnation: str
    version: int
    came: list[str]
    left: list[str]


class PresenceState(msgspec.Struct, frozen=True, array_like=True, tag="here"):
    """Signal: everyone who is online at a gateway, as of a version."""

    incarnation: str
    version: int
    users: list[str]


class PresenceWanted(msgspec.Struct, frozen=True, array_like=True, tag="who"):
    """Signal: an observer missed a change of a gateway and wants its state."""

    incarnation: str


class Replaced(msgspec.Struct, frozen=True, array_like=True, tag="replaced"):
    """Signal: the client of a connection has come back on another one, as its new owner."""

    sid: str
    owner: str


class Unknown(msgspec.Struct, frozen=True, array_like=True, tag="unknown"):
    """Something that a newer build did; what, is for that build to say."""

    kind: str


Body = (
    RoomCreated
    | MessagePosted
    | HistoryCleared
    | MessageDeleted
    | RoomDeleted
    | Kicked
    | Banned
    | Unbanned
    | ModeratorChanged
    | PasswordChanged
    | CursorMoved
    | Wake
    | Committed
    | Notice
    | TypingChanged
    | Beat
    | PresenceChanged
    | PresenceState
    | PresenceWanted
    | Replaced
    | Unknown
)

RuleChange = Kicked | Banned | Unbanned | ModeratorChanged | PasswordChanged
"""Events that change who may what in their room."""


RULE_CHANGES: Final = frozenset(get_args(RuleChange))
"""The same, for a test that costs little."""


KNOWN_TAGS = frozenset(kind.__struct_config__.tag for kind in get_args(Body))
"""What the bodies of this build begin with."""


class Event(msgspec.Struct, frozen=True, array_like=True):
    """The envelope around a body, the same bytes in stream, log and channel.

    The publish script writes the head of this array around a body that the gateway encoded,
    so a body is encoded once in its life. The order of the fields is the format.

    Attributes:
        format: of the envelope (see `shared/model/formats.py`).
        room_id: the room's id; 0 for signals.
        id: the event's id in the cluster; 0 for signals.
        seq: its place in the room; 0 for signals and creations.
        prev: the place before it; 0 for the first.
        created_at: milliseconds since 1970, by the broker's clock.
    """

    format: int
    room_id: int
    id: int
    seq: int
    prev: int
    created_at: int
    body: Body
