"""Subscribes clients to the direct chats of their users."""

from gateway.api.gateway import Gateway
from gateway.rooms.client import Client
from gateway.rooms.subscribing import subscribing_to_chats


async def subscribe_to_chats(gateway: Gateway, client: Client) -> None:
    """Let a client hear of its user's chats from now on, if it has a user and does not yet.

    Raises:
        ChatError: `broker_unavailable`; then it hears of none.
    """
    user = client.username
    if user is None or client.chats_subscribed:
        return
    hub, sessions = gateway.rooms.hub, gateway.clients.sessions
    # Undone where it fails: else the next try would take its chats for followed here.
    with subscribing_to_chats(hub, client, user):
        hub.subscribe_to_chats(client, user)
        sessions.chats_subscribed(client)
        for local in await gateway.rooms.follower.user_connected(user):
            if subscription := local.members.get(client):
                subscription.caught_up_to = max(subscription.caught_up_to, local.room.head)
        await sessions.save(client)
