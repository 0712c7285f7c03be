"""An async client: it stays connected, and shows each message once, in order.

async with ChatClient("http://127.0.0.1:8080", username="ann") as client:
await client.join_room("general")
await client.send("general", "hello")
await client.send_to("bob", "hello, bob")
async for event in client.events():
print(event)
"""

from parley_chat.client import ChatClient
from parley_chat.connection.connector import Pace
from parley_chat.connection.credentials import TokenSource
from parley_chat.engine import State
from parley_chat.errors import ChatError, ConnectionLost, Refused, Unreachable
from parley_chat.events.answers import Accepted, ChatHistoryPage, HistoryPage, Joined, RoomInfo
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
