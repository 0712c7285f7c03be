"""Locations of events in the logs of rooms and chats, of known and unknown kinds alike."""

from typing import NamedTuple, TypeGuard

from parley_chat.connection.wire import Data, Frame
from parley_chat.events.kinds import Event


class Location(NamedTuple):
    """Location of an event in the log of a room or a chat.

    Attributes:
        seq: Number of the event in the log.
        prev: The `seq` of the event before it; 0 for the first.
        room: Name of the room; None for a chat.
        chat_id: Id of the chat; None for a room.
    """

    seq: int
    prev: int
    room: str | None = None
    chat_id: int | None = None


class LocatedEvent(NamedTuple):
    """An event, and its location in a log."""

    at: Location
    event: Event


def location_of(frame: Frame) -> Location | None:
    """Return the location of a frame's event in a log; None if it is part of none.

    An event is part of a log if its frame names a room or a chat, `seq` and `prev`. Its kind does
    not matter: a newer server sends kinds that this client does not know. Were they left out, the
    event after such a one would seem to follow a gap.
    """
    data = frame.data
    if not isinstance(data, dict):
        return None
    seq, prev = data.get("seq"), data.get("prev")
    if not _is_whole(seq) or not _is_whole(prev) or prev >= seq:
        return None
    room = data.get("room") if frame.room is None else frame.room
    if isinstance(room, str):
        return Location(seq, prev, room=room)
    chat_id = data.get("chatId") if frame.chat_id is None else frame.chat_id
    if _is_whole(chat_id):
        return Location(seq, prev, chat_id=chat_id)
    return None


def _is_whole(value: Data) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
