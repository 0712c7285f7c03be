"""Nobody falls over: who behaves well is served while others flood, and memory is bounded."""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from statistics import median

import psutil

from tests.security.attacks.arena import spinning
from tests.security.attacks.judge import NOISE_SECONDS
from tests.security.doors import make, new_address, pass_for
from tests.support.cluster import Cluster
from tests.support.peer import Peer

USERS = 10
"""Who take turns: together they may say more than one may."""
MESSAGES = 100
ROUNDS = 3
KINDS = ("messages", "joins", "nonsense")
REPELLED = [*(f"{kind}: 4429" for kind in KINDS), "connects: 429", "asks: 429"]
"""What attackers see, sooner or later."""
MORE_MEMORY = 96 * 2**20
"""Bytes that two gateways, the broker and the persister may grow by."""

MAX_RATIO = 3
"""Between a p99 during floods and one while the attackers' processes only spin."""


@asynccontextmanager
async def attackers(cluster: Cluster, room: str) -> AsyncIterator[dict[str, int]]:
    """Floods of messages, joins, nonsense, connects and requests while the block runs.

    Yields:
        How they fared, once the block has ended.
    """
    fared: dict[str, int] = {}
    told = {
        "urls": [cluster.gateway_url(n).replace("http", "ws", 1) for n in (1, 2)],
        "tokens": {kind: pass_for(f"{kind} of {room}") for kind in KINDS},
        "room": room,
        "until": REPELLED,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.security.flood"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(told).encode() + b"\n")
    try:
        yield fared
    finally:
        said, _ = await process.communicate(b"\n")
        fared.update(json.loads(said or b"{}"))


async def talk(speakers: list[Peer], listener: Peer, room: str) -> float:
    """Let users say something in turn; the p99 of the times until it is heard, in seconds."""
    took = []
    for number in range(MESSAGES):
        begun = time.monotonic()
        said = await speakers[number % USERS].request("message", {"room": room, "content": "hi"})
        while (await listener.next("message", room=room))["data"]["id"] != said["id"]:
            pass
        took.append(time.monotonic() - begun)
    return sorted(took)[int(MESSAGES * 0.99) - 1]


def memory(cluster: Cluster) -> int:
    """Bytes that the cluster has."""
    names = ("gateway-1", "gateway-2", "redis", "persister-1")
    return sum(psutil.Process(cluster.pid(name)).memory_info().rss for name in names)


async def test_others_are_served_during_floods(guarded: Cluster) -> None:
    """While floods are refused, others' p99 at most triples, nothing is lost, memory is bounded."""
    room, flooded = "a quiet room", "a flooded room"
    async with AsyncExitStack() as stack:

        async def enter(user: str, gateway: int) -> Peer:
            url = guarded.gateway_url(gateway)
            peer = Peer(url, token=pass_for(user), headers=new_address())
            return await stack.enter_async_context(peer)

        listener = await enter("listener", 2)
        await make(listener, room)
        await make(listener, flooded)
        await listener.request("leaveRoom", flooded)
        speakers = [await enter(f"speaker {n}", 1 + n % 2) for n in range(USERS)]
        for peer in speakers:
            await peer.request("joinRoom", {"room": room})
        await talk(speakers, listener, room)
        quiet, loud, grown = [], [], 0
        all_fared: Counter[str] = Counter()
        for _ in range(ROUNDS):
            async with spinning():
                quiet.append(await talk(speakers, listener, room))
            before = memory(guarded)
            async with attackers(guarded, flooded) as fared:
                # The floods are there once somebody was flooded.
                await enter_flood(await enter("witness", 1), flooded)
                loud.append(await talk(speakers, listener, room))
                grown = max(grown, memory(guarded) - before)
            all_fared.update(fared)
        total = MESSAGES * (1 + 2 * ROUNDS)
        seqs = [message["seq"] for message in await listener.until(total, "message", room)]
        assert seqs == list(range(1, total + 1))
    print(f"p99 {sorted(quiet)} s, during floods {sorted(loud)} s; +{grown >> 20} MiB")
    print(dict(all_fared))
    # Other programs have bursts, too: what a flood does, it does in most of the rounds.
    assert median(loud) <= MAX_RATIO * max(median(quiet), NOISE_SECONDS)
    assert grown < MORE_MEMORY
    for how in REPELLED:
        assert all_fared[how] >= ROUNDS, how


async def enter_flood(witness: Peer, room: str) -> None:
    """Wait until the first of a flood is heard, and hear no more of it."""
    await witness.request("joinRoom", {"room": room})
    await witness.next("message", room=room)
    await witness.request("leaveRoom", room)
