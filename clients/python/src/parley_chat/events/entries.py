"""Where an event stands in the log of which room or chat, whatever kind of event it is."""

from typing import NamedTuple, TypeGuard

from parley_chat.connection.wire import Data, Frame
from parley_chat.events.kinds import Event


class Position(NamedTuple):
    """A place in the log of a room or a chat.

    Attributes:
        seq: the place.
        prev: the place before it; 0 for the first.
        room: the name of the room; None for a chat.
        chat_id: the id of the chat; None for a room.
    """

    seq: int
    prev: int
    room: str | None = None
    chat_id: int | None = None


class Entry(NamedTuple):
    """An event of a log."""

    at: Position
    event: Event


def position_of(frame: Frame) -> Position | None:
    """Find where in a log the event of a frame stands.

    That is decided by what the frame says, not by the kind of event: a newer server's kinds have
    their places, too.

    Returns:
        None for what is no part of a log: it names no room and no chat, or not both `seq` and
        `prev`.
    """
    data = frame.data
    if not isinstance(data, dict):
        return None
    seq, prev = data.get("seq"), data.get("prev")
    if not _is_whole(seq) or not _is_whole(prev) or prev >= seq:
        return None
    room = data.get("room") if frame.room is None else frame.room
    if isinstance(room, str):
        return Position(seq, prev, room=room)
    chat_id = data.get("chatId") if frame.chat_id is None else frame.chat_id
    if _is_whole(chat_id):
        return Position(seq, prev, chat_id=chat_id)
    return None


def _is_whole(value: Data) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
