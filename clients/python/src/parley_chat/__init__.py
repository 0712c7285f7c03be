"""Async client of Parley: it stays connected, and yields each message once and in order.

async with ChatClient("http://127.0.0.1:8080", username="ann") as client:
await client.join_room("general")
await client.send("general", "hello")
await client.send_to("bob", "hello, bob")
async for event in client.events():
print(event)
"""

import logging

from parley_chat.client import ChatClient
from parley_chat.connection.connector import ConnectionPolicy
from parley_chat.connection.credentials import TokenSource
from parley_chat.engine import State
from parley_chat.errors import ChatError, ConnectionLost, Refused, Unreachable
from parley_chat.events.answers import (
    ChatHistoryPage,
    HistoryPage,
    JoinedRoom,
    RoomInfo,
    SentMessage,
)
from parley_chat.events.event_queue import Events
from parley_chat.events.kinds import (
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
    PasswordChanged,
    RoomCreated,
    RoomLost,
    RuleChange,
    Seen,
    ServerError,
    TypingEvent,
    Unbanned,
    UnknownEvent,
    UserId,
)

# An application that sets up no logging gets errors, not lines on its standard error.
logging.getLogger("parley_chat").addHandler(logging.NullHandler())

__all__ = [
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
    "ConnectionPolicy",
    "Disconnected",
    "Event",
    "Events",
    "HistoryCleared",
    "HistoryPage",
    "JoinedRoom",
    "Kicked",
    "Message",
    "MessageDeleted",
    "MessageSeen",
    "ModeratorChanged",
    "NewChat",
    "NewMessage",
    "Notification",
    "OnlineUsers",
    "PasswordChanged",
    "Refused",
    "RoomCreated",
    "RoomInfo",
    "RoomLost",
    "RuleChange",
    "Seen",
    "SentMessage",
    "ServerError",
    "State",
    "TokenSource",
    "TypingEvent",
    "Unbanned",
    "UnknownEvent",
    "Unreachable",
    "UserId",
]
