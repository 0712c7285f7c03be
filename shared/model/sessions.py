"""The saved session of a Socket.IO client, from which any gateway can recover it."""

import msgspec


class RoomProgress(msgspec.Struct, frozen=True, array_like=True):
    """A session's progress in a room.

    Attributes:
        room_id: the room's id.
        since: the room's head when the client was let in. A kick or a new password with a higher
            seq ends the membership.
        acknowledged: the seq up to which the client has shown that it has the events; None while
            it may not know that it is in the room.
        sent: the seq up to which events were sent; None before the answer to its join was sent.

    `acknowledged` and `sent` differ. A connection can break after the server wrote seq 41 to 45 and
    before the client read them: sent is 45, acknowledged 40. Recovery that began after `sent` would
    lose 41 to 45, so it begins after what the client shows that it has.
    """

    room_id: int
    since: int
    acknowledged: int | None
    sent: int | None


class ChatProgress(msgspec.Struct, frozen=True, array_like=True):
    """A session's progress in a direct chat with recent events; fields as in `RoomProgress`."""

    room_id: int
    acknowledged: int
    sent: int


class SessionState(msgspec.Struct, frozen=True, array_like=True):
    """A session as its gateway saved it last.

    Attributes:
        sid: the sid of the connection.
        username: the name that is bound to the connection; None before that.
        chats_subscribed: True if the client gets the events of its user's chats.
        online: True if the connection counts its user as online.
        left: True if the other clients were told that this one left.
        incarnations: the gateway incarnations it was connected to, the last one last, each with the
            count of offsets at that time.
        sent: the count of the last offset that was sent; 0 for none in this incarnation.
        rooms: the client's progress in its rooms, by name.
        chats: the client's progress in direct chats, by id.
        required_offset: the count of the last offset with which the client was told that it was
            removed from a room, or that a chat was deleted. The session no longer has such a room
            or chat, so recovery cannot send that event again: a client that has only older offsets
            is not recovered, and must resume.
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
    required_offset: int = 0
