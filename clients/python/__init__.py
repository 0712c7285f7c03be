"""An async client: it stays connected, and shows each message once, in order.

    async with ChatClient("http://127.0.0.1:8080", username="ann") as client:
        await client.join_room("general")
        await client.send("general", "hello")
        await client.send_to("bob", "hello, bob")
        async for event in client.events():
            print(event)

It is a library of its own: of this repository it uses `shared` only, and nothing of the server.
"""

from clients.python.client import ChatClient
from clients.python.connection.connector import Pace
from clients.python.connection.credentials import TokenSource
from clients.python.connection.errors import ConnectionLost, Refused, Unreachable
from clients.python.engine import State
from clients.python.events.answers import Accepted, ChatHistoryPage, HistoryPage, Joined, RoomInfo
from clients.python.events.event_queue import Events
from clients.python.events.kinds import (
    Banned,
    CaughtUp,
    ChatDeleted,
    ChatInfo,
    ChatsList,
    Connected,
    Disconnected,
    Event,
    HistoryCleared,
    Kicked,
    Message,
    MessageDeleted,
    MessageSeen,
    ModeratorChanged,
    NewChat,
    NewMessage,
    Notification,
    OnlineUsers,
    Other,
    PasswordChanged,
    RoomCreated,
    RoomLost,
    RuleChange,
    Seen,
    ServerError,
    TypingEvent,
    Unbanned,
    UserId,
)
from shared.errors import ChatError

__all__ = [
    "Accepted",
    "Banned",
    "CaughtUp",
    "ChatClient",
    "ChatDeleted",
    "ChatError",
    "ChatHistoryPage",
    "ChatInfo",
    "ChatsList",
    "Connected",
    "ConnectionLost",
    "Disconnected",
    "Event",
    "Events",
    "HistoryCleared",
    "HistoryPage",
    "Joined",
    "Kicked",
    "Message",
    "MessageDeleted",
    "MessageSeen",
    "ModeratorChanged",
    "NewChat",
    "NewMessage",
    "Notification",
    "OnlineUsers",
    "Other",
    "Pace",
    "PasswordChanged",
    "Refused",
    "RoomCreated",
    "RoomInfo",
    "RoomLost",
    "RuleChange",
    "Seen",
    "ServerError",
    "State",
    "TokenSource",
    "TypingEvent",
    "Unbanned",
    "Unreachable",
    "UserId",
]
