"""Data that clients are sent: the payload of each event and reply.

The docstrings of payloads and of their fields are what `docs/reference` says of them.
"""

from gateway.protocols.payloads.base import (
    EmptyPayload,
    NotificationPayload,
    Payload,
    iso,
    user_out,
)
from gateway.protocols.payloads.chats import (
    ChatDeletedPayload,
    ChatPayload,
    ListedChatPayload,
    ListedChatsPayload,
    LoadedMessagesPayload,
    MessageSeenPayload,
    NewMessagePayload,
    chat_payload,
    listed_chat_payload,
    new_message_payload,
)
from gateway.protocols.payloads.connections import (
    AuthenticatedPayload,
    ErrorPayload,
    LaggedPayload,
    ReconnectPayload,
    ResumeRequiredPayload,
    Ticket,
    WelcomePayload,
)
from gateway.protocols.payloads.places import (
    AcceptedPayload,
    ChatHistoryPayload,
    DurablePayload,
    ResumedPayload,
    ResumedPlace,
    RoomHistoryPayload,
    SeenPayload,
)
from gateway.protocols.payloads.rooms import (
    BanLiftedPayload,
    JoinedPayload,
    MemberPayload,
    MessagePayload,
    RoomCreatedPayload,
    RoomPayload,
    StandingsPayload,
    message_payload,
    room_created_payload,
)

__all__ = [
    "AcceptedPayload",
    "AuthenticatedPayload",
    "BanLiftedPayload",
    "ChatDeletedPayload",
    "ChatHistoryPayload",
    "ChatPayload",
    "DurablePayload",
    "EmptyPayload",
    "ErrorPayload",
    "JoinedPayload",
    "LaggedPayload",
    "ListedChatPayload",
    "ListedChatsPayload",
    "LoadedMessagesPayload",
    "MemberPayload",
    "MessagePayload",
    "MessageSeenPayload",
    "NewMessagePayload",
    "NotificationPayload",
    "Payload",
    "ReconnectPayload",
    "ResumeRequiredPayload",
    "ResumedPayload",
    "ResumedPlace",
    "RoomCreatedPayload",
    "RoomHistoryPayload",
    "RoomPayload",
    "SeenPayload",
    "StandingsPayload",
    "Ticket",
    "WelcomePayload",
    "chat_payload",
    "iso",
    "listed_chat_payload",
    "message_payload",
    "new_message_payload",
    "room_created_payload",
    "user_out",
]
