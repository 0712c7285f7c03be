"""An async client: it stays connected, and shows each message of its rooms once, in order.

    async with ChatClient("http://127.0.0.1:8080", username="ann") as client:
        await client.join_room("general")
        await client.send("general", "hello")
        async for event in client.events():
            print(event)

It stands beside the gateway, not on it: of this repository it uses `shared` only.
"""

from gateway.client.client import ChatClient
from gateway.client.connector import Pace
from gateway.client.engine import State
from gateway.client.errors import ConnectionLost, Refused, Unreachable
from gateway.client.event_queue import Events
from gateway.client.events import (
    Accepted,
    CaughtUp,
    Connected,
    Disconnected,
    Event,
    HistoryCleared,
    HistoryPage,
    Joined,
    Message,
    Notification,
    Other,
    RoomCreated,
    RoomInfo,
    RoomLost,
    ServerError,
    TypingEvent,
)
from shared.errors import ChatError

__all__ = [
    "Accepted",
    "CaughtUp",
    "ChatClient",
    "ChatError",
    "Connected",
    "ConnectionLost",
    "Disconnected",
    "Event",
    "Events",
    "HistoryCleared",
    "HistoryPage",
    "Joined",
    "Message",
    "Notification",
    "Other",
    "Pace",
    "Refused",
    "RoomCreated",
    "RoomInfo",
    "RoomLost",
    "ServerError",
    "State",
    "TypingEvent",
    "Unreachable",
]
