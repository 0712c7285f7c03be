"""An async client: it stays connected, and shows each message once, in order.

    async with ChatClient("http://127.0.0.1:8080", username="ann") as client:
        await client.join_room("general")
        await client.send("general", "hello")
        await client.send_to("bob", "hello, bob")
        async for event in client.events():
            print(event)

It stands beside the gateway, not on it: of this repository it uses `shared` only.
"""

from gateway.client.answers import Accepted, ChatHistoryPage, HistoryPage, Joined, RoomInfo
from gateway.client.client import ChatClient
from gateway.client.connector import Pace
from gateway.client.credentials import TokenSource
from gateway.client.engine import State
from gateway.client.errors import ConnectionLost, Refused, Unreachable
from gateway.client.event_queue import Events
from gateway.client.events import (
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
