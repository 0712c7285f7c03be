"""The envelope of all events, and the bodies of events that are in no room log.

The events of room logs are in `log_events.py`. Here are the other events of partition streams
(creations, cursor moves), and signals, which are delivered and not kept.
"""

from typing import TYPE_CHECKING, Final, Literal, Union, get_args

import msgspec

from shared.model.kinds import LogEvent
from shared.model.log_events import LOG_EVENTS

Kind = Literal["room", "direct"]


class RoomCreated(msgspec.Struct, frozen=True, array_like=True, tag="create"):
    """A room was created. It is in the partition's stream only, and has no seq in the room.

    Attributes:
        key: the room's key, unique in the cluster.
        password_hash: an argon2id hash, empty for an open room.
        creator: the user who created it.
        user1, user2: the users of a direct chat; empty for a named room.
    """

    kind: Kind
    key: str
    name: str
    password_hash: str
    creator: str
    user1: str = ""
    user2: str = ""


class CursorMoved(msgspec.Struct, frozen=True, array_like=True, tag="seen"):
    """A user has seen everything up to `seq`. It is in no room log, and has no seq of its own.

    Attributes:
        since: the cursor before the move.
        message_id: the message that was marked as seen; 0 if the client gave a seq.
        origin: the sid of the connection that moved it.
        key, user1, user2: the direct chat, for gateways that do not follow it; empty for a named
            room, whose messages have no `seenAt`.
        epoch: the epoch in which it moved; 0 if an older build moved it.
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
        """True if the room is a direct chat."""
        return bool(self.key)


class Wake(msgspec.Struct, frozen=True, array_like=True, tag="wake"):
    """Signal on the control channel: a direct chat that was quiet has a new event.

    Its envelope has the room, id, seq and prev of that event.

    Attributes:
        created: True if the event is the chat's creation.
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
    """Signal: a line of text for every client except the connection `origin`."""

    content: str
    origin: str = ""


class BanLifted(msgspec.Struct, frozen=True, array_like=True, tag="lifted"):
    """Signal: a user is no longer banned from a room without a password.

    The user is not in the room, so the event of its log does not reach them.
    """

    room: str
    user: str


_TYPING: Final = " is typing..."


def typing_text(name: str) -> str:
    """Return the line that says that a user types; empty for nobody."""
    return name and name + _TYPING


class TypingChanged(msgspec.Struct, frozen=True, array_like=True, tag="typing"):
    """Signal: `text` is "ann is typing..." or "", for everyone but the connection `origin`.

    For a direct chat it has the users, and its envelope the room, for gateways that do not follow
    the chat.
    """

    text: str
    origin: str = ""
    user1: str = ""
    user2: str = ""

    @property
    def name(self) -> str:
        """The user who types; empty where the connection has stopped."""
        return self.text.removesuffix(_TYPING)


class GatewayHeartbeat(msgspec.Struct, frozen=True, array_like=True, tag="beat"):
    """Signal: the heartbeat of a gateway's incarnation.

    It is the gateway's canary too: if its own heartbeat comes back, the broker carries messages.

    Attributes:
        count: the number of this heartbeat, from 1.
        connections: the gateway's connections.
        presence: the version of its presence; see PresenceChanged.
    """

    incarnation: str
    count: int
    connections: int
    presence: int = 0


class PresenceChanged(msgspec.Struct, frozen=True, array_like=True, tag="presence"):
    """Signal: users who came online at a gateway, and users who went offline there.

    Attributes:
        version: the number of this change in the incarnation. An observer that has version 7 and
            gets 9 has missed 8, and asks for the whole state by PresenceWanted.
    """

    incarnation: str
    version: int
    connected: list[str]
    disconnected: list[str]


class PresenceState(msgspec.Struct, frozen=True, array_like=True, tag="here"):
    """Signal: all users who are online at a gateway, at a version."""

    incarnation: str
    version: int
    users: list[str]


class PresenceWanted(msgspec.Struct, frozen=True, array_like=True, tag="who"):
    """Signal: an observer missed a change of a gateway and asks for its PresenceState."""

    incarnation: str


class Replaced(msgspec.Struct, frozen=True, array_like=True, tag="replaced"):
    """Signal: the client of connection `sid` was recovered on another connection.

    The gateway of the old connection then drops it before its pings time out, so that the user is
    not shown twice.
    """

    sid: str
    owner: str


class Unknown(msgspec.Struct, frozen=True, array_like=True, tag="unknown"):
    """An event of a kind that this build does not know, from a newer build."""

    kind: str


OtherEvent = (
    RoomCreated
    | CursorMoved
    | Wake
    | Committed
    | Notice
    | BanLifted
    | TypingChanged
    | GatewayHeartbeat
    | PresenceChanged
    | PresenceState
    | PresenceWanted
    | Replaced
    | Unknown
)
"""The events that are in no room log."""

if TYPE_CHECKING:
    Body = LogEvent | OtherEvent
else:
    Body = Union[(*LOG_EVENTS, *get_args(OtherEvent))]  # the codec tells them apart by their tags


KNOWN_TAGS = frozenset(kind.__struct_config__.tag for kind in get_args(Body))
"""The tags of the bodies that this build knows."""


class Event(msgspec.Struct, frozen=True, array_like=True):
    """The envelope around a body, the same bytes in stream, log and channel.

    `publish.lua` writes the head of this array in front of a body that the gateway encoded, so a
    body is encoded once. The order of the fields is the format.

    `seq` only grows, but need not grow by 1, so `prev` is what shows a gap. Example: a client has
    seq 40. In a new epoch comes seq 1,000,041 with prev 40: nothing is missing. If seq 1,000,043
    comes next with prev 1,000,042, the client lacks 1,000,042 and must read it first.

    Attributes:
        format: the format of the envelope (see `shared/model/formats.py`).
        room_id: the room's id; 0 for signals of no room.
        id: the event's id in the cluster; 0 for signals.
        seq: its number in the room; 0 for signals, creations and cursor moves.
        prev: the seq of the event before it in the room; 0 for the first.
        created_at: milliseconds since 1970, by the broker's clock.
    """

    format: int
    room_id: int
    id: int
    seq: int
    prev: int
    created_at: int
    body: Body
