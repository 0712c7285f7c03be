"""Subscription of clients to the direct chats of their users."""

from gateway.api.gateway import Gateway
from gateway.rooms.client import Client
from gateway.rooms.subscribing import subscribing_to_chats


async def subscribe_to_chats(gateway: Gateway, client: Client) -> None:
    """Subscribe a client to its user's chats, if it has a user and is not subscribed yet.

    Raises:
        ChatError: `broker_unavailable`; the client is not subscribed to any chat then.
    """
    user = client.username
    if user is None or client.chats_subscribed:
        return
    hub, sessions = gateway.rooms.hub, gateway.clients.sessions
    # Undone where it fails. Otherwise the next try would return at once, and active chats that the
    # failed lookup did not find would not be followed: their messages would reach nobody here.
    with subscribing_to_chats(hub, client, user):
        hub.subscribe_to_chats(client, user)
        sessions.chats_subscribed(client)
        for local in await gateway.rooms.follower.user_connected(user):
            if subscription := local.members.get(client):
                # Events up to the head are history for this client, not live events: the follower
                # may still deliver them to others (`ChatFollower._rewind`).
                subscription.caught_up_to = max(subscription.caught_up_to, local.room.head)
        await sessions.save(client)
