"""Subscribes clients to the direct chats of their users."""

from gateway.api.gateway import Gateway
from gateway.rooms.client import Client
from gateway.rooms.subscribing import hearing


async def hear_chats(gateway: Gateway, client: Client) -> None:
    """Let a client hear of its user's chats from now on, if it has a user and does not yet.

    Raises:
        ChatError: `broker_unavailable`; then it hears of none.
    """
    user = client.username
    if user is None or client.hears_chats:
        return
    hub, sessions = gateway.rooms.hub, gateway.clients.sessions
    # Undone where it fails: else the next try would take its chats for followed here.
    with hearing(hub, client, user):
        hub.listen(client, user)
        sessions.hears(client)
        for local in await gateway.rooms.follower.user_came(user):
            if its := local.members.get(client):
                its.seen = max(its.seen, local.room.head)
        await sessions.keep(client)
