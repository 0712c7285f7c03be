"""What is remembered of a client so that it can come back through any gateway: its session."""

import msgspec


class RoomProgress(msgspec.Struct, frozen=True, array_like=True):
    """A room that a session is in.

    Attributes:
        room_id: the room's id.
        since: the room's head when it was let in. A kick, or a new password, above it ends that.
        surely: the seq up to which the client surely has it; None while it may not know that
            it is in it.
        sent: the seq up to which it was sent; None while it has not been told that it is in it.
    """

    room_id: int
    since: int
    acknowledged: int | None
    sent: int | None


class ChatProgress(msgspec.Struct, frozen=True, array_like=True):
    """A direct chat of a session's user with news lately; fields as of `RoomPlace`."""

    room_id: int
    acknowledged: int
    sent: int


class SessionState(msgspec.Struct, frozen=True, array_like=True):
    """A session as its gateway saw it last.

    Attributes:
        sid: the connection's.
        username: the name bound to it, if any.
        hears_chats: whether it hears of its user's chats.
        online: whether it says that its user is online.
        left: whether the others were told that it left.
        lives: the gateways' lives it was connected to, the last one last, each with the count of
            offsets at which it came there.
        sent: the count of the last offset that it was sent; 0 for none in this life.
        rooms: the rooms it is in, by name.
        chats: direct chats, by id.
        must_have: the count of the last offset of this life that told of the end of a place: being
            put out of a room, or a chat's deletion. Of that, nothing is here any more.
    """

    sid: str
    username: str | None
    chats_subscribed: bool
    online: bool
    left: bool
    incarnations: tuple[tuple[str, int], ...]
    sent: int
    rooms: dict[str, RoomProgress]
    chats: dict[int, ChatProgress]
    must_have: int = 0
