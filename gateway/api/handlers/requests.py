"""Handlers of REST requests: direct chats, and tickets."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway.access.identity import TICKET_SECONDS
from gateway.access.tokens import Bearer
from gateway.api.gateway import Gateway
from gateway.api.handlers.acts import act
from gateway.api.pages import chats_of
from gateway.api.targets import Target
from gateway.protocols.payloads import (
    ChatPayload,
    ShownChatPayload,
    Ticket,
    chat_payload,
    shown_chat_payload,
)
from shared.errors import ChatError
from shared.model import commands
from shared.model.log_events import RoomDeleted
from shared.trail import Source


@dataclass(frozen=True, slots=True)
class BearerPrincipal:
    """The user of a REST request.

    Attributes:
        bearer: the user that the request's token names; None with AUTH_MODE=open.
        address: the network address that the request came from.
    """

    bearer: Bearer | None
    address: str

    @property
    def username(self) -> str | None:
        """The name in the token; None with AUTH_MODE=open."""
        return self.bearer.user if self.bearer else None

    @property
    def display_name(self) -> str:
        """The name in the token; empty with AUTH_MODE=open."""
        return self.username or ""

    @property
    def source(self) -> Source:
        """The source of its security events."""
        if self.bearer:
            return Source(user=self.bearer.user)
        return Source.at(self.address)

    @property
    def rate_subject(self) -> str:
        """The name in the token; with AUTH_MODE=open all requests of an address are one user's."""
        return self.display_name


class ListedPage(NamedTuple):
    """A page of a user's chats.

    Attributes:
        chats: the chats, each encoded in JSON.
        next: what to ask for the following page with; None if no chats follow.
        partial: True if the broker was away, so that chats and messages may be missing.
    """

    chats: list[Any]
    next: str | None
    partial: bool


async def make_chat(
    gateway: Gateway, _requester: BearerPrincipal, command: commands.CreateChat, _target: Target
) -> ChatPayload:
    """Find or create the chat of two users (`POST /chats`)."""
    users = (str(command.user1_id), str(command.user2_id))
    chat, _ = await gateway.rooms.directory.chat_of(*users)
    return chat_payload(chat)


async def show_chat(
    _gateway: Gateway, _requester: BearerPrincipal, _command: commands.ByChat, target: Target
) -> ShownChatPayload:
    """Return a chat (`GET /chats/{chat}`)."""
    return shown_chat_payload(target.known, partial=target.partial)


async def delete_chat(
    gateway: Gateway, requester: BearerPrincipal, _command: commands.ByChat, target: Target
) -> None:
    """Delete a chat with all its messages, and announce it (`DELETE /chats/{chat}`)."""
    await act(gateway, requester, target.known, RoomDeleted(""))


async def list_chats(
    gateway: Gateway, _requester: BearerPrincipal, command: commands.ListChats, _target: Target
) -> ListedPage:
    """Return a page of a user's chats (`GET /chats/user/{user}`)."""
    pages, asked = gateway.rooms.chat_pages, (command.user, command.limit, command.before)
    try:
        page = await pages.page(*asked, chats_of(gateway, None))
    except ChatError as error:
        if error.code != "broker_unavailable":
            raise
        page = await pages.stored_page(*asked, chats_of(gateway, None))
    return ListedPage(page.chats, page.next, page.partial)


async def give_ticket(
    gateway: Gateway,
    requester: BearerPrincipal,
    _command: commands.GetTicket,
    _target: Target,
) -> Ticket:
    """Make a ticket for the user of the request's token (`POST /tickets`)."""
    if requester.bearer is None:
        raise ChatError("not_found", "tickets are for AUTH_MODE=jwt")
    ticket = await gateway.access.identity.ticket(requester.bearer)
    return Ticket(ticket, TICKET_SECONDS)
