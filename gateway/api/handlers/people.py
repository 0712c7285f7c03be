"""Handlers for users: names, online and offline."""

from msgspec import UNSET

from gateway.api.chat_subscription import subscribe_to_chats
from gateway.api.gateway import Gateway
from gateway.api.handlers.chats import listed_chats
from gateway.api.lifecycle import end_presence
from gateway.api.targets import Target
from gateway.protocols.payloads import NamedPayload
from gateway.rooms.client import Client
from shared.errors import ChatError
from shared.model import commands


async def set_username(
    gateway: Gateway, client: Client, _command: commands.SetUsername, _target: Target
) -> NamedPayload:
    """Save the name that was just bound, so that the client can recover its session with it."""
    await gateway.clients.sessions.try_to_save(client)
    return NamedPayload(client.corrected_name or UNSET)


async def user_online(
    gateway: Gateway, client: Client, command: commands.UserOnline, _target: Target
) -> NamedPayload:
    """Show a user as online, subscribe to its chats, and send those with unread messages."""
    await subscribe_to_chats(gateway, client)
    gateway.cluster.presence.set_online(command.user, client)
    client.online = True
    await gateway.clients.sessions.save(client)
    result = NamedPayload(client.corrected_name or UNSET)
    try:
        unread = listed_chats(await gateway.rooms.chat_pages.unread(command.user))
    except ChatError as error:
        # The user is online all the same; the client can ask for its chats again.
        client.connection.refuse(None, error)
        return result
    if unread:
        client.connection.emit("chatsList", unread)
    return result


async def user_offline(
    gateway: Gateway, client: Client, _command: commands.UserOffline, _target: Target
) -> None:
    """Show a user as offline, and unsubscribe the client from the user's chats."""
    end_presence(gateway, client)
    await gateway.clients.sessions.try_to_save(client)
