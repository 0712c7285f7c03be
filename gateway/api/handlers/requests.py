"""What requests of REST do: direct chats as the second seed's clients know them, and tickets."""

import secrets
from dataclasses import dataclass

from gateway.access.identity import TICKET_SECONDS
from gateway.access.tokens import Bearer
from gateway.api.gateway import Gateway
from gateway.api.handlers import chats
from gateway.api.targets import Target
from gateway.protocols.payloads import (
    ChatPayload,
    ListedChatPayload,
    Ticket,
    chat_payload,
)
from shared.errors import ChatError
from shared.model import commands
from shared.model.log_events import RoomDeleted


@dataclass(frozen=True, slots=True)
class BearerPrincipal:
    """Who a request is from.

    Attributes:
        bearer: whom its token names; None where nobody has to say who they are.
    """

    bearer: Bearer | None

    @property
    def username(self) -> str | None:
        """The name that was proven."""
        return self.bearer.user if self.bearer else None

    @property
    def display_name(self) -> str:
        """The same; nothing stands for it."""
        return self.username or ""


async def make_chat(
    gateway: Gateway, _requester: BearerPrincipal, command: commands.CreateChat, _target: Target
) -> ChatPayload:
    """`POST /chats`: the chat of two users, made if there is none."""
    users = (str(command.user1_id), str(command.user2_id))
    chat, _ = await gateway.rooms.directory.chat_of(*users)
    return chat_payload(chat)


async def show_chat(
    _gateway: Gateway, _requester: BearerPrincipal, _command: commands.ByChat, target: Target
) -> ChatPayload:
    """`GET /chats/{chat}`: a chat."""
    return chat_payload(target.known)


async def delete_chat(
    gateway: Gateway, _requester: BearerPrincipal, _command: commands.ByChat, target: Target
) -> None:
    """`DELETE /chats/{chat}`: delete a chat with all it held; both users are told."""
    body = RoomDeleted("")
    await gateway.rooms.publisher.send(target.known, "", secrets.token_urlsafe(12), body)


async def list_chats(
    gateway: Gateway, _requester: BearerPrincipal, command: commands.GetChats, _target: Target
) -> list[ListedChatPayload]:
    """`GET /chats/user/{user}`: the chats of a user."""
    return await chats.listed_chats(gateway, command.user)


async def give_ticket(
    gateway: Gateway,
    requester: BearerPrincipal,
    _command: commands.GetTicket,
    _target: Target,
) -> Ticket:
    """`POST /tickets`: a ticket for whoever shows who they are."""
    if requester.bearer is None:
        raise ChatError("not_found", "tickets are for AUTH_MODE=jwt")
    ticket = await gateway.access.identity.ticket(requester.bearer)
    return Ticket(ticket, TICKET_SECONDS)
