"""The table of actions: everything that can be asked of a gateway, and how each is handled.

An action is declared once. Whoever carries requests in (the dispatcher of a session, REST) calls
`perform`, which finds what an action is about, applies its rule and runs its handler: handlers
judge nothing by themselves. Rates are applied before the data of a request is read, by the class
that stands here; REST's by the guard, which counts addresses.
"""

from collections.abc import Callable, Mapping
from types import CoroutineType
from typing import Any, Final, NamedTuple

from gateway.access import authorization as rules
from gateway.access.authorization import Principal, Rule, Verdict
from gateway.access.limits import Kind
from gateway.api import login, targets
from gateway.api.gateway import Gateway
from gateway.api.handlers import (
    authentication,
    chats,
    messages,
    moderation,
    people,
    places,
    requests,
    resume,
    rooms,
)
from gateway.api.targets import Found, Target
from gateway.connections.websocket import PendingWork
from gateway.rooms.client import Client
from shared.model import commands

Handler = Callable[[Gateway, Any, Any, Any], object]
"""Takes the gateway, who asks, the command and its target (targets, where there are several).

Returns its outcome, or a coroutine that does: then the client's next frame waits for it.
"""


class Action(NamedTuple):
    """Something that can be asked.

    Attributes:
        command: what its data is read as.
        rule: who may.
        rate: what it counts as for rate limits.
        handler: does it.
        find: finds what it is about.
        claims: the field of the command in which a client says who it is, if it has one.
        binds: whether that gives a client its name; else it only has to be the client's own.
        refused: answers in place of the error where the rule says no; it raises.
    """

    command: type[commands.Command]
    rule: Rule
    rate: Kind
    handler: Handler
    find: Callable[[Gateway, Any, Any], Found] = targets.nothing
    claims: str = ""
    binds: bool = False
    refused: Handler | None = None


EVENTS: Final[Mapping[str, Action]] = {
    "authenticate": Action(
        commands.Authenticate, rules.anybody, "requests", authentication.authenticate
    ),
    "setUsername": Action(
        command=commands.SetUsername,
        rule=rules.anybody,
        rate="requests",
        handler=people.set_username,
        claims="username",
        binds=True,
    ),
    "createRoom": Action(commands.CreateRoom, rules.anybody, "joins", rooms.create_room),
    "joinRoom": Action(
        command=commands.JoinRoom,
        rule=rules.entrant,
        rate="joins",
        handler=rooms.join_room,
        find=targets.entered,
        claims="username",
        binds=True,
        refused=rooms.refuse_to_join,
    ),
    "resume": Action(commands.Resume, rules.entrant, "joins", resume.resume, targets.resumed),
    "getRooms": Action(commands.GetRooms, rules.anybody, "history", rooms.get_rooms),
    "leaveRoom": Action(commands.LeaveRoom, rules.anybody, "joins", rooms.leave_room),
    "message": Action(
        command=commands.SendMessage,
        rule=rules.insider,
        rate="messages",
        handler=messages.send_to_room,
        find=targets.joined,
        claims="sender",
    ),
    "deleteMessages": Action(
        commands.DeleteMessages, rules.clearer, "requests", rooms.delete_messages, targets.joined
    ),
    "kick": Action(commands.Kick, rules.moderator, "requests", moderation.kick, targets.room),
    "ban": Action(commands.Ban, rules.moderator, "requests", moderation.ban, targets.room),
    "unban": Action(commands.Unban, rules.owner, "requests", moderation.unban, targets.room),
    "setModerator": Action(
        commands.SetModerator, rules.owner, "requests", moderation.set_moderator, targets.room
    ),
    "setPassword": Action(
        commands.SetPassword, rules.owner, "requests", moderation.set_password, targets.room
    ),
    "typing": Action(
        command=commands.Typing,
        rule=rules.insider,
        rate="typing",
        handler=places.typing,
        find=targets.place,
        claims="username",
    ),
    "history": Action(commands.History, rules.insider, "history", places.history, targets.place),
    "seen": Action(commands.Seen, rules.insider, "requests", places.seen, targets.place),
    "userOnline": Action(
        command=commands.UserOnline,
        rule=rules.speaker,
        rate="requests",
        handler=people.user_online,
        find=targets.user,
        claims="user",
        binds=True,
    ),
    "userOffline": Action(
        commands.UserOffline, rules.speaker, "requests", people.user_offline, targets.user
    ),
    "getChats": Action(commands.GetChats, rules.oneself, "history", chats.get_chats, targets.user),
    "createChat": Action(
        commands.CreateChat, rules.oneself, "joins", chats.create_chat, targets.pair
    ),
    "sendMessage": Action(
        commands.SendChatMessage, rules.speaker, "messages", messages.send_to_user, targets.sender
    ),
    "getMessages": Action(
        commands.GetMessages, rules.insider, "history", chats.get_messages, targets.chat
    ),
    "markAsSeen": Action(
        commands.MarkAsSeen, rules.receiver, "requests", chats.mark_as_seen, targets.message
    ),
    "deleteMessage": Action(
        commands.DeleteMessage, rules.deleter, "requests", chats.delete_message, targets.message
    ),
}
"""What clients ask over `/ws` and Socket.IO, by event."""

REQUESTS: Final[Mapping[str, Action]] = {
    "POST /tickets": Action(commands.GetTicket, rules.anybody, "rest", requests.give_ticket),
    "POST /chats": Action(
        commands.CreateChat, rules.oneself, "rest", requests.make_chat, targets.pair
    ),
    "GET /chats/{chat}": Action(
        commands.ByChat, rules.chat_by_id, "rest", requests.show_chat, targets.chat
    ),
    "DELETE /chats/{chat}": Action(
        commands.ByChat, rules.chat_by_id, "rest", requests.delete_chat, targets.chat
    ),
    "GET /chats/user/{user}": Action(
        commands.GetChats, rules.oneself, "rest", requests.list_chats, targets.user
    ),
}
"""What is asked over REST, by method and path."""


def perform(
    gateway: Gateway, action: Action, asker: Principal, command: commands.Command
) -> object:
    """Do what somebody asks, if they may.

    Returns:
        The handler's outcome, or a coroutine that returns it.

    Raises:
        ChatError: they may not, or it cannot be done.
    """
    if action.claims and (name := getattr(command, action.claims)) is not None:
        _check_claim(gateway, action, asker, name)
    found = action.find(gateway, asker, command)
    if isinstance(found, Target):
        return _perform_on(gateway, action, asker, command, found)
    return _perform_when_found(gateway, action, asker, command, found)


async def _perform_when_found(
    gateway: Gateway,
    action: Action,
    asker: Principal,
    command: commands.Command,
    finding: PendingWork,
) -> object:
    found = await finding
    if isinstance(found, Target):
        outcome = _perform_on(gateway, action, asker, command, found)
    else:
        # Each is judged by itself; of one that the asker may not know of nothing is left.
        judge = gateway.access.authorization.judge
        seen = [
            each if judge(action.rule, asker, each) is Verdict.ALLOWED else targets.NOTHING
            for each in found
        ]
        outcome = action.handler(gateway, asker, command, seen)
    return await outcome if isinstance(outcome, CoroutineType) else outcome


def _perform_on(
    gateway: Gateway, action: Action, asker: Principal, command: commands.Command, target: Target
) -> object:
    authorization = gateway.access.authorization
    verdict = authorization.judge(action.rule, asker, target)
    if verdict is Verdict.ALLOWED:
        return action.handler(gateway, asker, command, target)
    if action.refused is not None:
        return action.refused(gateway, asker, command, target)
    raise authorization.refusal(action.rule, verdict, target)


def _check_claim(gateway: Gateway, action: Action, asker: Principal, name: object) -> None:
    """Hold a client to who it says it is; requests of REST say it nowhere but in their token."""
    if not isinstance(asker, Client):
        raise TypeError("only clients say who they are in a command")
    if action.binds:
        login.bind(gateway, asker, str(name))
    else:
        asker.check_own(str(name))
