"""The table of REST requests."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from gateway.access import authorization as rules
from gateway.api import targets
from gateway.api.actions.action import Action, Request
from gateway.api.handlers import requests
from gateway.protocols import payloads as out
from shared.model import commands

REQUESTS: Final[Mapping[str, Request]] = {
    "POST /tickets": Request(
        Action(
            command=commands.GetTicket,
            rule=rules.anyone,
            rate="rest",
            handler=requests.give_ticket,
            reply=out.Ticket,
            errors=("not_found",),
        ),
        "createTicket",
        "Get a ticket, which opens one WebSocket. Only with `AUTH_MODE=jwt`.",
        "The ticket.",
        HTTPStatus.CREATED,
    ),
    "POST /chats": Request(
        Action(
            command=commands.CreateChat,
            rule=rules.own_user,
            rate="rest",
            handler=requests.make_chat,
            find=targets.pair,
            users=("user1_id", "user2_id"),
            reply=out.ChatPayload,
            events=("newChat",),
            errors=("overloaded",),
            reads=True,
        ),
        "createChat",
        "Create the direct chat of two users, or find the one they have.",
        "The chat. Both users get `newChat` for a new one.",
        HTTPStatus.CREATED,
    ),
    "GET /chats/{chat}": Request(
        Action(
            command=commands.ByChat,
            rule=rules.chat_by_id,
            rate="rest",
            handler=requests.show_chat,
            find=targets.readable_chat,
            reply=out.ShownChatPayload,
            reads=True,
        ),
        "getChat",
        "Read a direct chat.",
        "The chat. `Parley-Partial` says that only the database was asked.",
    ),
    "DELETE /chats/{chat}": Request(
        Action(
            command=commands.ByChat,
            rule=rules.chat_by_id,
            rate="rest",
            handler=requests.delete_chat,
            find=targets.chat,
            reply=None,
            events=("chatDeleted",),
            errors=("overloaded",),
            reads=True,
        ),
        "deleteChat",
        "Delete a direct chat with all its messages.",
        "The chat is deleted. Both users get `chatDeleted`.",
    ),
    "GET /chats/user/{user}": Request(
        Action(
            command=commands.ListChats,
            rule=rules.own_user,
            rate="rest",
            handler=requests.list_chats,
            find=targets.user,
            users=("user_id",),
            reply=list[out.ListedChatPayload],
            errors=("not_found",),
            reads=True,
        ),
        "getChatsOfUser",
        "List the direct chats of a user, the one with the latest message first.",
        "The chats; an empty list for a user without any. Where more follow, `Link` has the"
        " address of the next page. `Parley-Partial` says that chats may be missing.",
    ),
}
"""REST requests, by method and path. `{chat}` is the field `chat_id` of the request's command."""
