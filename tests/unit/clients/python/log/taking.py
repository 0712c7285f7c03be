"""Live events for a log, as a client takes them."""

from clients.python.events.entries import Entry, Position
from clients.python.events.kinds import HistoryCleared, Message, MessageDeleted, NewMessage, Other
from clients.python.log.room_log import RoomLog


def live(
    log: RoomLog, event: Message | NewMessage | HistoryCleared | MessageDeleted | Other
) -> bool:
    """Take an event at the place that it says; return whether it is to be shown now."""
    return log.live(Entry(Position(event.seq, event.prev), event))
