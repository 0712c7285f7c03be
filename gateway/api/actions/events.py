"""The table of events that clients send over `/ws` and Socket.IO."""

from collections.abc import Mapping
from typing import Any, Final

from gateway.access import authorization as rules
from gateway.access.authorization import Rule
from gateway.api import targets
from gateway.api.actions.action import Action, Handler
from gateway.api.handlers import (
    authentication,
    chats,
    messages,
    moderation,
    people,
    places,
    resume,
    rooms,
)
from gateway.protocols import payloads as out
from shared.model import commands


def _moderation(
    command: type[commands.Command],
    rule: Rule,
    handler: Handler,
    *events: str,
    reply: Any = out.MemberPayload,  # noqa: ANN401 - a type of a payload
) -> Action:
    """Make a moderation action, which becomes an event of the room's log."""
    return Action(
        command=command,
        rule=rule,
        rate="requests",
        handler=handler,
        find=targets.room,
        users=("user_id",) if issubclass(command, commands.MemberCommand) else (),
        reply=reply,
        events=events,
        errors=("not_found", "overloaded"),
    )


EVENTS: Final[Mapping[str, Action]] = {
    "authenticate": Action(
        command=commands.Authenticate,
        rule=rules.anyone,
        rate="requests",
        handler=authentication.authenticate,
        reply=out.AuthenticatedPayload,
        events=("welcome", "notification"),
        errors=("unauthorized", "forbidden", "overloaded"),
    ),
    "setUsername": Action(
        command=commands.SetUsername,
        rule=rules.anyone,
        rate="requests",
        handler=people.set_username,
        users=("username",),
        claims="username",
        binds=True,
        reply=out.NamedPayload,
    ),
    "createRoom": Action(
        command=commands.CreateRoom,
        rule=rules.anyone,
        rate="joins",
        handler=rooms.create_room,
        reply=out.RoomCreatedPayload,
        events=("roomCreated",),
        errors=("room_exists", "overloaded"),
    ),
    "joinRoom": Action(
        command=commands.JoinRoom,
        rule=rules.entrant,
        rate="joins",
        handler=rooms.join_room,
        find=targets.entered,
        users=("username",),
        claims="username",
        binds=True,
        refused=rooms.refuse_to_join,
        reply=out.JoinedPayload,
        events=("messageHistory", "passwordStatus", "notification"),
        errors=("overloaded",),
    ),
    "resume": Action(
        command=commands.Resume,
        rule=rules.entrant,
        rate="joins",
        handler=resume.resume,
        find=targets.resumed,
        reply=out.ResumedPayload,
        events=(
            "message",
            "newMessage",
            "messageDeleted",
            "deleteMessages",
            "kicked",
            "banned",
            "unbanned",
            "moderatorChanged",
            "passwordChanged",
            "skipped",
            "seen",
            "messageSeen",
        ),
    ),
    "getRooms": Action(
        commands.GetRooms, rules.anyone, "history", rooms.get_rooms, events=("rooms",)
    ),
    "leaveRoom": Action(
        commands.LeaveRoom, rules.anyone, "joins", rooms.leave_room, events=("notification",)
    ),
    "message": Action(
        command=commands.SendMessage,
        rule=rules.insider,
        rate="messages",
        handler=messages.send_to_room,
        find=targets.joined,
        users=("sender",),
        claims="sender",
        reply=out.AcceptedPayload,
        events=("message", "durable"),
        errors=("too_long", "not_found", "overloaded"),
    ),
    "deleteMessages": Action(
        command=commands.DeleteMessages,
        rule=rules.clearer,
        rate="requests",
        handler=rooms.delete_messages,
        find=targets.joined,
        events=("deleteMessages", "notification"),
        errors=("not_found", "overloaded"),
    ),
    "kick": _moderation(commands.Kick, rules.moderator, moderation.kick, "kicked"),
    "ban": _moderation(commands.Ban, rules.moderator, moderation.ban, "banned"),
    "unban": _moderation(commands.Unban, rules.owner, moderation.unban, "unbanned", "banLifted"),
    "setModerator": _moderation(
        commands.SetModerator, rules.owner, moderation.set_moderator, "moderatorChanged"
    ),
    "setPassword": _moderation(
        commands.SetPassword,
        rules.owner,
        moderation.set_password,
        "passwordChanged",
        reply=out.EmptyPayload,
    ),
    "getStandings": Action(
        command=commands.GetStandings,
        rule=rules.manager,
        rate="history",
        handler=moderation.get_standings,
        find=targets.room,
        reply=out.StandingsPayload,
    ),
    "typing": Action(
        command=commands.Typing,
        rule=rules.insider,
        rate="typing",
        handler=places.typing,
        find=targets.place,
        users=("username",),
        claims="username",
        events=("typing",),
    ),
    "history": Action(
        command=commands.History,
        rule=rules.insider,
        rate="history",
        handler=places.history,
        find=targets.readable,
        reply=out.RoomHistoryPayload | out.ChatHistoryPayload,
    ),
    "seen": Action(
        command=commands.Seen,
        rule=rules.insider,
        rate="requests",
        handler=places.seen,
        find=targets.place,
        events=("seen",),
        errors=("unauthorized", "overloaded"),
    ),
    "userOnline": Action(
        command=commands.UserOnline,
        rule=rules.own_name,
        rate="requests",
        handler=people.user_online,
        find=targets.user,
        users=("user_id",),
        claims="user",
        binds=True,
        reply=out.NamedPayload,
        events=("onlineUsers", "chatsList"),
    ),
    "userOffline": Action(
        command=commands.UserOffline,
        rule=rules.own_name,
        rate="requests",
        handler=people.user_offline,
        find=targets.user,
        users=("user_id",),
        events=("onlineUsers",),
    ),
    "getChats": Action(
        command=commands.GetChats,
        rule=rules.own_user,
        rate="history",
        handler=chats.get_chats,
        find=targets.user,
        reply=out.ListedChatsPayload,
        users=("user_id",),
        events=("chatsList",),
    ),
    "createChat": Action(
        command=commands.CreateChat,
        rule=rules.own_user,
        rate="joins",
        handler=chats.create_chat,
        find=targets.pair,
        users=("user1_id", "user2_id"),
        reply=out.ChatPayload,
        events=("newChat",),
        errors=("overloaded",),
    ),
    "sendMessage": Action(
        command=commands.SendChatMessage,
        rule=rules.own_name,
        rate="messages",
        handler=messages.send_to_user,
        find=targets.sender,
        users=("sender_id", "receiver_id"),
        reply=out.AcceptedPayload,
        events=("newMessage", "newChat", "durable"),
        errors=("too_long", "not_found", "overloaded"),
    ),
    "getMessages": Action(
        command=commands.GetMessages,
        rule=rules.insider,
        rate="history",
        handler=chats.get_messages,
        find=targets.chat,
        reply=out.LoadedMessagesPayload,
        events=("loadMessages",),
    ),
    "markAsSeen": Action(
        command=commands.MarkAsSeen,
        rule=rules.receiver,
        rate="requests",
        handler=chats.mark_as_seen,
        find=targets.message,
        events=("messageSeen",),
        errors=("unauthorized", "overloaded"),
    ),
    "deleteMessage": Action(
        command=commands.DeleteMessage,
        rule=rules.deleter,
        rate="requests",
        handler=chats.delete_message,
        find=targets.message,
        events=("messageDeleted",),
        errors=("overloaded",),
    ),
}
"""Actions of `/ws` and Socket.IO, by event."""
