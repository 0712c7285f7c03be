"""What the client shows when the broker has lost what was not stored yet."""

import signal
from typing import Any

import redis.asyncio

from parley_chat import ChatClient, Message, MessageDeleted, NewMessage
from tests.integration.clients.python.listening import until
from tests.support.cluster import Cluster
from tests.support.stored import eventually, rows


async def test_what_was_lost_is_told_as_deleted(
    cluster: Cluster, room: str, users: tuple[int, str]
) -> None:
    """A message that was shown and is lost is told as deleted, in a room and in a direct chat."""
    async with (
        ChatClient(cluster.gateway_url(1)) as ann,
        ChatClient(cluster.gateway_url(2)) as bob,
    ):
        await ann.go_online(users[0])
        await bob.go_online(users[1])
        await ann.create_room(room)
        await ann.join_room(room)
        await bob.join_room(room)

        async def say(content: str) -> tuple[int, int]:
            said = await bob.send(room, content)
            direct = await bob.send_to(users[0], content)
            await until(ann, NewMessage, lambda message: message.content == content)
            return said.id, direct.id

        kept = await say("kept")
        query = "SELECT id FROM events WHERE id IN (?, ?)"
        await eventually(
            lambda: rows(cluster.database, query, *kept), lambda found: len(found) == 2
        )
        cluster.kill("cluster", signal.SIGSTOP)  # it starts no persister again
        try:
            killed = cluster.kill("persister-1")
            lost = await say("lost")
            broker: Any = redis.asyncio.Redis.from_url(cluster.redis_url)
            await broker.flushall()
            await broker.aclose()
        finally:
            cluster.kill("cluster", signal.SIGCONT)
        await cluster.wait_restarted("persister-1", killed)
        gone: list[MessageDeleted] = []
        while len(gone) < 2:
            gone.append((await until(ann, MessageDeleted))[0])
        assert {deleted.message_id for deleted in gone} == set(lost)
        assert {deleted.room for deleted in gone} == {room, None}
        assert not {deleted.message_id for deleted in gone} & set(kept)
        after = await bob.send(room, "after")
        found, _ = await until(ann, Message, lambda message: message.content == "after")
        assert found.id == after.id
