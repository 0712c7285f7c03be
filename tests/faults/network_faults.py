"""Faults of the network between gateways and the broker, and of clients."""

import asyncio
from typing import Final

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.faults.arena import PATIENCE, Arena
from tests.faults.history import now
from tests.faults.strike import Strike, fault
from tests.support.proxy import Proxy

SOME_TIME: Final = 3.5
"""Seconds: longer than it takes a gateway to find the broker silent."""

QUESTION: Final = '{"event":"history","id":1,"data":{"room":"room-01","limit":1000}}'
QUESTIONS: Final = 20
"""Pages of history that are asked for at a time, and not read."""


def one_gateway(arena: Arena, strike: Strike) -> Proxy:
    """The proxy of one of the gateways."""
    strike.target = arena.random.choice(arena.gateways)
    return arena.proxies[strike.target]


def healed(arena: Arena, proxy: Proxy) -> None:
    """End a network partition: held-back data arrives, or connections are reset."""
    if arena.random.random() < 0.5:
        proxy.cut()
    proxy.let_go()


@fault("one gateway cut off from Redis", seconds=6)
async def _partition(arena: Arena, strike: Strike) -> None:
    proxy = one_gateway(arena, strike)
    await arena.history.in_flight()
    strike.begin()
    proxy.hold("up", "down")
    await asyncio.sleep(SOME_TIME)
    healed(arena, proxy)
    strike.end()


@fault("nothing arrives at Redis", seconds=5)
async def _deaf(arena: Arena, strike: Strike) -> None:
    proxy = one_gateway(arena, strike)
    await arena.history.in_flight()
    strike.begin()
    proxy.hold("up")
    await asyncio.sleep(arena.random.uniform(1, SOME_TIME))
    healed(arena, proxy)
    strike.end()


@fault("nothing comes back from Redis", seconds=5)
async def _mute(arena: Arena, strike: Strike) -> None:
    proxy = one_gateway(arena, strike)
    await arena.history.in_flight()
    strike.begin()
    proxy.hold("down")
    await asyncio.sleep(arena.random.uniform(1, SOME_TIME))
    healed(arena, proxy)
    strike.end()


@fault("connections to Redis reset, then refused", seconds=4)
async def _refused(arena: Arena, strike: Strike) -> None:
    proxy = one_gateway(arena, strike)
    await arena.history.in_flight()
    strike.begin()
    await proxy.refuse()
    proxy.cut()
    await asyncio.sleep(arena.random.uniform(0.5, 2.5))
    await proxy.admit()
    strike.end()


@fault("a slow network to Redis", seconds=4)
async def _slow(arena: Arena, strike: Strike) -> None:
    await arena.history.in_flight()
    strike.begin()
    for name in arena.gateways:
        arena.proxies[name].delay = arena.random.uniform(0.05, 0.3)
    await asyncio.sleep(2)
    for name in arena.gateways:
        arena.proxies[name].delay = 0.0
    strike.end()


@fault("every client reconnects at once", "back", within=15, seconds=3)
async def _storm(arena: Arena, strike: Strike) -> None:
    strike.target = f"{len(arena.clients)} clients"
    await arena.history.in_flight()
    strike.begin()
    for client in arena.clients:
        client.abort()
    strike.end()


@fault("a client that never reads", seconds=3)
async def _never_reads(arena: Arena, strike: Strike) -> None:
    number = arena.random.randrange(arena.scale.gateways) + 1
    strike.target = f"on gateway-{number}"
    url = f"ws://127.0.0.1:{arena.cluster.gateway_port(number)}/ws?username=sloth"
    socket = await connect(url, max_queue=1, compression=None, ping_interval=None)
    strike.begin()
    try:
        await socket.send('{"event":"resume","data":{"rooms":{"room-01":0}}}')
        async with asyncio.timeout(PATIENCE):
            while True:
                for _ in range(QUESTIONS):
                    await socket.send(QUESTION)
                await asyncio.sleep(0.1)
    except ConnectionClosed:
        strike.healed["dropped"] = now() - strike.begun
    finally:
        socket.transport.abort()
    strike.end()
