"""Live events for a log, as a client takes them."""

from parley_chat.events.kinds import (
    HistoryCleared,
    Message,
    MessageDeleted,
    NewMessage,
    UnknownEvent,
)
from parley_chat.events.location import LocatedEvent, Location
from parley_chat.log.room_log import RoomLog


def live(
    log: RoomLog, event: Message | NewMessage | HistoryCleared | MessageDeleted | UnknownEvent
) -> bool:
    """Take an event at the place that it says; return whether it is to be shown now."""
    return log.live(LocatedEvent(Location(event.seq, event.prev), event))
