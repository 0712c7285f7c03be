"""What happened: the events of a room's log, and signals that are not kept."""

from typing import Literal

import msgspec

Kind = Literal["room", "direct"]


class RoomCreated(msgspec.Struct, frozen=True, array_like=True, tag="create"):
    """A room exists from here on. In the partition's stream only: it is no place in the room.

    Attributes:
        key: the room's key, unique in the cluster.
        password_hash: an argon2id hash, empty for an open room.
        creator: the user who made it.
    """

    kind: Kind
    key: str
    name: str
    password_hash: str
    creator: str


class MessagePosted(msgspec.Struct, frozen=True, array_like=True, tag="message"):
    """A message. (sender, room, client_msg_id) names it once and for all."""

    sender: str
    content: str
    client_msg_id: str


class HistoryCleared(msgspec.Struct, frozen=True, array_like=True, tag="clear"):
    """Every message before this event is deleted: the room's floor is this event's `seq`."""

    by: str


class Notice(msgspec.Struct, frozen=True, array_like=True, tag="notice"):
    """Signal: a line of information for everyone but the connection `origin`."""

    content: str
    origin: str = ""


class TypingChanged(msgspec.Struct, frozen=True, array_like=True, tag="typing"):
    """Signal: `text` is "ann is typing..." or "", for everyone but the connection `origin`."""

    text: str
    origin: str = ""


class Beat(msgspec.Struct, frozen=True, array_like=True, tag="beat"):
    """Signal: a gateway's incarnation lives; its n-th beat, with its connections.

    It is the canary too: a gateway whose own beat comes back has a broker that works.
    """

    incarnation: str
    count: int
    connections: int


Body = RoomCreated | MessagePosted | HistoryCleared | Notice | TypingChanged | Beat


class Event(msgspec.Struct, frozen=True, array_like=True):
    """The envelope around a body, the same bytes in stream, log and channel.

    The publish script writes the head of this array around a body that the gateway encoded,
    so a body is encoded once in its life. The order of the fields is the format.

    Attributes:
        version: of the envelope.
        room_id: the room's id; 0 for signals.
        id: the event's id in the cluster; 0 for signals.
        seq: its place in the room; 0 for signals and creations.
        prev: the place before it; 0 for the first.
        created_at: milliseconds since 1970, by the broker's clock.
    """

    version: int
    room_id: int
    id: int
    seq: int
    prev: int
    created_at: int
    body: Body
