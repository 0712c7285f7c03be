"""The envelope of everything that happens, and what happens beside the events of rooms' logs.

Those are in `log_events.py`. Here are what the stream carries beside them, and signals, which are
not kept.
"""

from typing import TYPE_CHECKING, Literal, Union, get_args

import msgspec

from shared.model.kinds import LogEvent
from shared.model.log_events import LOG_EVENTS

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


class GatewayHeartbeat(msgspec.Struct, frozen=True, array_like=True, tag="beat"):
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


OtherEvent = (
    RoomCreated
    | CursorMoved
    | Wake
    | Committed
    | Notice
    | TypingChanged
    | GatewayHeartbeat
    | PresenceChanged
    | PresenceState
    | PresenceWanted
    | Replaced
    | Unknown
)
"""What is no event of a room's log."""

if TYPE_CHECKING:
    Body = LogEvent | OtherEvent
else:
    Body = Union[(*LOG_EVENTS, *get_args(OtherEvent))]  # what the codec tells apart by their tags


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
