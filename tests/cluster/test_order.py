"""Many rooms, many clients, both gateways at once: one order for everybody, nothing twice."""

import asyncio
from collections import defaultdict
from contextlib import AsyncExitStack

from tests.support.cluster import Cluster
from tests.support.peer import Peer, Wire
from tests.support.stored import Row, eventually, messages

ROOMS, CLIENTS, MESSAGES, WINDOW = 20, 50, 20_000, 8


async def test_rooms_have_one_order_everywhere(cluster: Cluster) -> None:
    """Under load from both gateways, every room is 1..n in SQL and for every client, alike."""
    names = [f"order {n}" for n in range(ROOMS)]
    async with AsyncExitStack() as stack:
        wires: tuple[Wire, Wire] = ("json", "msgpack")
        peers = [
            await stack.enter_async_context(
                Peer(cluster.gateway_url(1 + n % 2), f"username=u{n}", wires[n // 2 % 2])
            )
            for n in range(CLIENTS)
        ]
        for name in names:
            await peers[0].request("createRoom", {"name": name})
        # Each client is in four rooms, each room has ten clients, five on either gateway.
        joined = {n: [names[(n + step * 5) % ROOMS] for step in range(4)] for n in range(CLIENTS)}
        for n, peer in enumerate(peers):
            for name in joined[n]:
                await peer.request("joinRoom", {"room": name})

        sent: defaultdict[str, dict[int, tuple[str, str]]] = defaultdict(dict)

        async def talk(n: int, lane: int) -> None:
            for turn in range(MESSAGES // CLIENTS // WINDOW):
                name, text = joined[n][turn % 4], f"{n}.{lane}.{turn}"
                reply = await peers[n].request("message", {"room": name, "content": text})
                assert reply["seq"] not in sent[name]
                sent[name][reply["seq"]] = (f"u{n}", text)

        await asyncio.gather(*(talk(n, lane) for n in range(CLIENTS) for lane in range(WINDOW)))
        assert sum(map(len, sent.values())) == MESSAGES
        for name in names:
            count = len(sent[name])
            assert sorted(sent[name]) == list(range(1, count + 1))
            expected = [(seq, *sent[name][seq]) for seq in range(1, count + 1)]
            for n, peer in enumerate(peers):
                if name in joined[n]:
                    got = await peer.until(count, "message", name)
                    assert [(m["seq"], m["sender"], m["content"]) for m in got] == expected
                    assert [m["prev"] for m in got] == list(range(count))
            assert await stored(cluster, name, count) == expected


async def stored(cluster: Cluster, room: str, count: int) -> list[Row]:
    """A room's messages in SQL, once there are so many."""
    return await eventually(
        lambda: messages(cluster.database, room), lambda found: len(found) >= count
    )


async def test_the_same_send_through_both_gateways_is_one(cluster: Cluster, room: str) -> None:
    """A clientMsgId sent through two gateways at once is one message with one place."""
    async with (
        Peer(cluster.gateway_url(1), "username=ann") as here,
        Peer(cluster.gateway_url(2), "username=ann", "msgpack") as there,
    ):
        await here.request("createRoom", {"name": room})
        for peer in (here, there):
            await peer.request("joinRoom", {"room": room})
        for n in range(100):
            data = {"room": room, "content": f"{n}", "clientMsgId": f"once {n}"}
            replies = await asyncio.gather(
                *(peer.request("message", data) for peer in (here, there, here))
            )
            assert replies[0] == replies[1] == replies[2]
        for peer in (here, there):
            got = await peer.until(100, "message", room)
            assert [m["content"] for m in got] == [str(n) for n in range(100)]
        assert [row[0] for row in await stored(cluster, room, 100)] == list(range(1, 101))


async def test_one_senders_frames_keep_their_order(cluster: Cluster, room: str) -> None:
    """What one client sends without waiting takes its places in the order it was sent."""
    async with Peer(cluster.gateway_url(1), "username=ann") as ann:
        await ann.request("createRoom", {"name": room})
        await ann.emit("joinRoom", {"room": room})
        for n in range(500):
            await ann.emit("message", {"room": room, "content": str(n)})
        got = await ann.until(500, "message", room)
        assert [m["content"] for m in got] == [str(n) for n in range(500)]
        assert not ann.all("error")
