"""Unread is derived: whatever happened, it is what a count over SQL says."""

import asyncio
from itertools import count
from typing import Any, Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.cluster import Cluster
from tests.support.peer import Peer
from tests.support.stored import eventually, rows

_users = count(2_000_000)
HISTORIES = 50

Step = tuple[Literal["send", "delete", "seen", "mark"], int, int]
STEPS: st.SearchStrategy[Step] = st.tuples(
    st.sampled_from(["send", "send", "send", "delete", "seen", "mark"]),
    st.integers(0, 1),
    st.integers(0, 9),
)

UNREAD = """
SELECT count(*) FROM events e JOIN rooms r ON r.id = e.room_id
LEFT JOIN cursors c ON c.room_id = r.id AND c.user = :user
WHERE r.id = :chat AND e.kind = 'message' AND NOT e.deleted AND e.seq > r.floor
  AND e.sender <> :user AND e.seq > coalesce(c.seq, 0)
"""


async def live(peers: list[Peer], users: list[int], steps: list[Step]) -> int:
    """Play a history between two users, and return the id of their chat."""
    sent: list[tuple[int, dict[str, Any]]] = []
    first = {"senderId": users[0], "receiverId": users[1], "content": "first"}
    sent.append((0, await peers[0].request("sendMessage", first)))
    chat: int = sent[0][1]["chatId"]
    for kind, who, number in steps:
        by, message = sent[number % len(sent)]
        if kind == "send":
            data = {"senderId": users[who], "receiverId": users[1 - who], "content": "x"}
            sent.append((who, await peers[who].request("sendMessage", data)))
        elif kind == "delete":
            await peers[by].request("deleteMessage", message["id"])
        elif kind == "seen":
            await peers[who].request("seen", {"chatId": chat, "seq": message["seq"]})
        else:
            await peers[1 - by].request("markAsSeen", message["id"])
    return chat


async def unread_of(peer: Peer, user: int) -> dict[int, int]:
    """What `chatsList` says is unread, by chat."""
    await peer.request("getChats", user)
    return {chat["id"]: chat["unread"] for chat in (await peer.next("chatsList"))["data"]}


async def test_unread_is_a_count_over_sql(cluster: Cluster) -> None:
    """In 1,000 random histories `chatsList` says at once what SQL says once all is stored."""

    async def play_one(steps: list[Step]) -> None:
        users = [next(_users), next(_users)]
        async with (
            Peer(cluster.gateway_url(1)) as one,
            Peer(cluster.gateway_url(2)) as other,
        ):
            peers = [one, other]
            for peer, user in zip(peers, users, strict=True):
                await peer.request("userOnline", user)
            chat = await live(peers, users, steps)
            said = [
                (await unread_of(peer, user))[chat] for peer, user in zip(peers, users, strict=True)
            ]

        def counted() -> list[int]:
            return [
                rows(cluster.database, UNREAD, {"user": str(user), "chat": chat})[0][0]
                for user in users
            ]

        await eventually(counted, lambda found: found == said)

    async def play(histories: list[list[Step]]) -> None:
        await asyncio.gather(*map(play_one, histories))

    loop = asyncio.get_running_loop()

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.lists(STEPS, max_size=12), min_size=HISTORIES, max_size=HISTORIES))
    def examples(histories: list[list[Step]]) -> None:
        asyncio.run_coroutine_threadsafe(play(histories), loop).result()

    await asyncio.to_thread(examples)
