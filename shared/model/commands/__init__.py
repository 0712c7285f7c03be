"""Requests of clients, typed and checked before any handler sees them; used as `commands.JoinRoom`.

Where a client may send a bare value for an object (`"general"` for `{"room": "general"}`), the
class says which field that is. Imports `fields.py` and msgspec. See docs/topics/message-path.md.
"""

from shared.model.commands.base import Command, MemberCommand, UserCommand
from shared.model.commands.chats import (
    ByChat,
    CreateChat,
    DeleteMessage,
    GetChats,
    GetMessages,
    ListChats,
    MarkAsSeen,
    SendChatMessage,
)
from shared.model.commands.people import (
    Authenticate,
    GetTicket,
    SetUsername,
    UserOffline,
    UserOnline,
)
from shared.model.commands.places import History, Resume, Seen, Typing
from shared.model.commands.rooms import (
    Ban,
    CreateRoom,
    DeleteMessages,
    GetModerationLog,
    GetRooms,
    GetStandings,
    JoinRoom,
    Kick,
    LeaveRoom,
    SendMessage,
    SetModerator,
    SetPassword,
    Unban,
)

__all__ = [
    "Authenticate",
    "Ban",
    "ByChat",
    "Command",
    "CreateChat",
    "CreateRoom",
    "DeleteMessage",
    "DeleteMessages",
    "GetChats",
    "GetMessages",
    "GetModerationLog",
    "GetRooms",
    "GetStandings",
    "GetTicket",
    "History",
    "JoinRoom",
    "Kick",
    "LeaveRoom",
    "ListChats",
    "MarkAsSeen",
    "MemberCommand",
    "Resume",
    "Seen",
    "SendChatMessage",
    "SendMessage",
    "SetModerator",
    "SetPassword",
    "SetUsername",
    "Typing",
    "Unban",
    "UserCommand",
    "UserOffline",
    "UserOnline",
]
