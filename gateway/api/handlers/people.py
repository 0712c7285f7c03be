"""Handlers for users: names, online and offline."""

from typing import Final

from msgspec import UNSET

from gateway.api.chat_subscription import subscribe_to_chats
from gateway.api.gateway import Gateway
from gateway.api.lifecycle import end_presence
from gateway.api.pages import chats_of
from gateway.api.targets import Target
from gateway.protocols.payloads import NamedPayload, OnlinePayload
from gateway.rooms.client import Client
from shared.errors import ChatError
from shared.model import commands

TOKENS_OF_ONLINE: Final = 5
"""Tokens of `requests` that `userOnline` costs. It reads the list of the user's chats as `getChats`
does, which counts by `history`: a fifth of `requests`."""


def cost_of_online(_command: commands.UserOnline) -> int:
    """Return the tokens that `userOnline` costs."""
    return TOKENS_OF_ONLINE


async def set_username(
    gateway: Gateway, client: Client, _command: commands.SetUsername, _target: Target
) -> NamedPayload:
    """Save the name that was just bound, so that the client can recover its session with it."""
    await gateway.clients.sessions.try_to_save(client)
    return NamedPayload(client.corrected_name or UNSET)


async def user_online(
    gateway: Gateway, client: Client, command: commands.UserOnline, _target: Target
) -> OnlinePayload:
    """Show a user as online, subscribe to its chats, and send those with unread messages."""
    await subscribe_to_chats(gateway, client)
    gateway.cluster.presence.set_online(command.user, client)
    client.online = True
    await gateway.clients.sessions.save(client)
    user = client.corrected_name or UNSET
    try:
        page = await gateway.rooms.chat_pages.unread(command.user, chats_of(gateway, client))
    except ChatError as error:
        # The user is online all the same; the client can ask for its chats again.
        client.connection.refuse(None, error)
        return OnlinePayload(user)
    if page.chats:
        client.connection.emit("chatsList", page.chats)
    return OnlinePayload(user, page.next or UNSET)


async def user_offline(
    gateway: Gateway, client: Client, _command: commands.UserOffline, _target: Target
) -> None:
    """Show a user as offline, and unsubscribe the client from the user's chats."""
    end_presence(gateway, client)
    await gateway.clients.sessions.try_to_save(client)
