"""Unread is derived: whatever happened, it is what a count over SQL says."""

import asyncio
from contextlib import AsyncExitStack
from itertools import count, product
from pathlib import Path
from typing import Any, Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.cluster import Cluster
from tests.support.peer import Peer
from tests.support.stored import eventually, rows

_users = count(2_000_000)
PEOPLE = (10, 5)  # on either gateway
HISTORIES = 50

Step = tuple[Literal["send", "delete", "seen", "mark"], int, int]
STEPS: st.SearchStrategy[Step] = st.tuples(
    st.sampled_from(["send", "send", "send", "delete", "seen", "mark"]),
    st.integers(0, 1),
    st.integers(0, 9),
)

UNREAD = """
SELECT r.id, count(e.seq) FROM rooms r
LEFT JOIN cursors c ON c.room_id = r.id AND c.user = :user
LEFT JOIN events e ON e.room_id = r.id AND e.kind = 'message' AND NOT e.deleted AND e.seq > r.floor
  AND e.sender <> :user AND e.seq > coalesce(c.seq, 0)
WHERE :user IN (r.user1, r.user2) GROUP BY r.id
"""


class Person:
    """A user with one connection, who has chats with several others at a time."""

    def __init__(self, peer: Peer) -> None:
        self.id = next(_users)
        self.peer = peer

    async def unread(self) -> dict[int, int]:
        """What `chatsList` says is unread, by chat."""
        await self.peer.request("getChats", self.id)
        return {chat["id"]: chat["unread"] for chat in (await self.peer.next("chatsList"))["data"]}

    def unread_in_sql(self, database: Path) -> dict[int, int]:
        """What a count over SQL says."""
        return dict(rows(database, UNREAD, {"user": str(self.id)}))


async def live(people: tuple[Person, Person], steps: list[Step]) -> None:
    """Play a history between two people."""

    async def send(who: int, content: str) -> dict[str, Any]:
        data = {"senderId": people[who].id, "receiverId": people[1 - who].id, "content": content}
        reply: dict[str, Any] = await people[who].peer.request("sendMessage", data)
        return reply

    sent = [(0, await send(0, "first"))]
    for kind, who, number in steps:
        by, message = sent[number % len(sent)]
        if kind == "send":
            sent.append((who, await send(who, "x")))
        elif kind == "delete":
            await people[by].peer.request("deleteMessage", message["id"])
        elif kind == "seen":
            place = {"chatId": message["chatId"], "seq": message["seq"]}
            await people[who].peer.request("seen", place)
        else:
            await people[1 - by].peer.request("markAsSeen", message["id"])


async def test_unread_is_a_count_over_sql(cluster: Cluster) -> None:
    """In 1,000 random histories `chatsList` says at once what SQL says once all is stored."""

    async def play(histories: list[list[Step]]) -> None:
        async with AsyncExitStack() as stack:
            here, there = [
                [
                    Person(await stack.enter_async_context(Peer(cluster.gateway_url(gateway))))
                    for _ in range(count)
                ]
                for gateway, count in enumerate(PEOPLE, 1)
            ]
            people = [*here, *there]
            for person in people:
                await person.peer.request("userOnline", person.id)
            # Everybody here has one with everybody there.
            await asyncio.gather(*map(live, product(here, there), histories))
            said = await asyncio.gather(*(person.unread() for person in people))

        def counted() -> list[dict[int, int]]:
            return [person.unread_in_sql(cluster.database) for person in people]

        await eventually(counted, lambda found: found == said)

    loop = asyncio.get_running_loop()

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.lists(STEPS, max_size=12), min_size=HISTORIES, max_size=HISTORIES))
    def examples(histories: list[list[Step]]) -> None:
        asyncio.run_coroutine_threadsafe(play(histories), loop).result()

    await asyncio.to_thread(examples)
