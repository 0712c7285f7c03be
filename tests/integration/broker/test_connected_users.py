"""The names under which users have connected, in the broker."""

from shared.broker.partitions.keyspace import Keyspace
from shared.broker.sessions.connected_users import ConnectedUsers
from tests.support.valkey import Valkey

KEYS = Keyspace("test", 2)


async def test_the_last_ones_are_remembered(server: Valkey) -> None:
    """Users who connected longest ago are forgotten first, so the memory stays within bounds."""
    users = ConnectedUsers(server.client(), KEYS, max_users=20)
    for number in range(100):
        await users.note([f"user {number}"])
        await users.note(["regular"])
    assert await users.has("regular")
    assert await users.has("user 99")
    assert not await users.has("user 0")
    assert not await users.has("nobody")
    client = server.client()
    kept = [await client.zcard(part.connected) for part in KEYS.partitions]
    assert max(kept) <= 10
