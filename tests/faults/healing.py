"""The time to heal after a fault, measured by a send of every client right after it."""

import asyncio
from collections.abc import Callable

from tests.faults.arena import Arena
from tests.faults.client import Client
from tests.faults.history import now
from tests.faults.places import Message, Place
from tests.faults.strike import Strike


async def heal(arena: Arena, strike: Strike) -> None:
    """Note the time after which everything works again, up to `patience` seconds."""
    since = strike.over

    def note(measure: str) -> None:
        strike.healed[measure] = now() - since

    try:
        async with asyncio.timeout(arena.scale.patience):
            probes = [asyncio.create_task(_probe(client)) for client in arena.clients]
            try:
                await arena.all_back()
                note("back")
                messages = [await probe for probe in probes]
            finally:
                for probe in probes:
                    probe.cancel()
            note("accepted")
            await _until(lambda: all(_delivered(arena, message) for message in messages))
            note("delivered")
            await _until(lambda: all(_durable(arena, message) for message in messages))
            note("durable")
            await arena.whole()
    except (TimeoutError, AssertionError) as error:
        # What is missing in `healed` did not heal.
        strike.missing = _missing(arena) or str(error)


def _missing(arena: Arena) -> str:
    """Clients that are not connected, and messages that are not durable."""
    away = [client.user for client in arena.clients if not client.ready.is_set()]
    unsettled = [
        f"{message.key} at {message.seq} in {message.place}"
        for client in arena.clients
        for message in client.unsettled.values()
        if now() - message.begun > arena.scale.patience / 2
    ]
    return ", ".join([*away, *unsettled[:5]])


async def _probe(client: Client) -> Message:
    return await client.send(_a_room(client), "probe")


def _a_room(client: Client) -> Place:
    return next(place for place in client.places.values() if place.room)


def _delivered(arena: Arena, message: Message) -> bool:
    """True if every member of its room has the message, or a later one."""
    return all(
        client.listener.last[message.place] >= message.seq
        for client in arena.clients
        if message.place in client.places
    )


def _durable(arena: Arena, message: Message) -> bool:
    user = message.key.partition(".")[0]
    return all(message.key not in c.unsettled for c in arena.clients if c.user == user)


async def _until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 - sixty clients' state
        await asyncio.sleep(0.01)
