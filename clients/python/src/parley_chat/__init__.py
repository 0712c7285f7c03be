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
from parley_chat.connection.state import State
from parley_chat.errors import ChatError, ConnectionLost, Refused, Unreachable
from parley_chat.events.answers import (
    Act,
    ActPage,
    ChatHistoryPage,
    HistoryPage,
    JoinedRoom,
    MemberResult,
    RoomInfo,
    SentMessage,
    UserPage,
)
from parley_chat.events.event_queue import Events
from parley_chat.events.kinds import (
    CaughtUp,
    ChatDeleted,
    ChatInfo,
    ChatsList,
    Connected,
    Disconnected,
    Event,
    HistoryCleared,
    Message,
    MessageDeleted,
    MessageSeen,
    NewChat,
    NewMessage,
    Notification,
    OnlineUsers,
    RoomCreated,
    RoomLost,
    Seen,
    ServerError,
    TypingEvent,
    UnknownEvent,
    UserId,
)
from parley_chat.events.rule_changes import (
    BanLifted,
    Banned,
    Kicked,
    ModeratorChanged,
    PasswordChanged,
    RuleChange,
    Unbanned,
)

# An application that sets up no logging gets errors, not lines on its standard error.
logging.getLogger("parley_chat").addHandler(logging.NullHandler())

__all__ = [
    "Act",
    "ActPage",
    "BanLifted",
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
    "MemberResult",
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
    "UserPage",
]
