"""Live events for a log, as a client takes them."""

from parley_chat.events.entries import Entry, Position
from parley_chat.events.kinds import HistoryCleared, Message, MessageDeleted, NewMessage, Other
from parley_chat.log.room_log import RoomLog


def live(
    log: RoomLog, event: Message | NewMessage | HistoryCleared | MessageDeleted | Other
) -> bool:
    """Take an event at the place that it says; return whether it is to be shown now."""
    return log.live(Entry(Position(event.seq, event.prev), event))
