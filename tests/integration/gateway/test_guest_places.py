"""Places of guests: they come back whatever becomes of their clients, and of the broker."""

import asyncio

import pytest

from gateway.access.guests import GuestBans, guest_subject
from gateway.cluster.guests import GuestPlaces
from gateway.cluster.heartbeat import HeartbeatMonitor
from gateway.connections.flusher import Flusher
from gateway.rooms.client import Client
from shared.broker.sessions.guest_bans import GuestBanBroker
from shared.broker.sessions.guests import GuestBroker
from shared.config import Settings
from shared.errors import ChatError
from shared.model.rooms import Room
from shared.trail import Trail
from tests.integration.broker.bench import KEYS, Bench, creation
from tests.support.ear import Ear
from tests.support.valkey import Valkey
from tests.support.waiting import eventually

ADDRESS = "192.0.2.1"
SUBJECT = guest_subject(ADDRESS)
KEY = KEYS.of(SUBJECT).guests(SUBJECT)


def places(server: Valkey, name: str = "gw-1", max_guests: int = 1) -> GuestPlaces:
    """The places at one more gateway."""
    bans = GuestBans(GuestBanBroker(server.pipe(), KEYS), Settings(guests="on"))
    heartbeat = HeartbeatMonitor(Bench(server).publisher, name, lambda: 0)
    trail = Trail(Settings(), name)
    return GuestPlaces(GuestBroker(server.pipe(), KEYS), bans, heartbeat, trail, max_guests)


def client() -> Client:
    """A client of the address."""
    return Client(Ear(Flusher()).connection, ADDRESS, proven=True)


async def is_let_in(gateway: GuestPlaces, guest: str) -> bool:
    """Whether one more client gets a place, as a guest of this name."""
    try:
        await gateway.take(client(), guest)
    except ChatError as error:
        if error.code != "rate_limited":
            raise
        return False
    return True


@pytest.mark.parametrize("turns", range(1, 5))
async def test_who_leaves_before_the_answer(server: Valkey, turns: int) -> None:
    """A client that goes away while the broker is asked keeps no place."""
    gateway = places(server)
    server.pause()
    try:
        coming = asyncio.create_task(gateway.take(client(), "guest-1"))
        for _ in range(turns):
            await asyncio.sleep(0)
        coming.cancel()
        await asyncio.wait([coming])
    finally:
        server.resume()
    assert await eventually(lambda: is_let_in(gateway, "guest-2"))


async def test_who_is_refused_leaves_nothing(server: Valkey) -> None:
    """The broker remembers where guests came from who were let in, and nobody else."""
    gateway = places(server)
    assert await is_let_in(gateway, "guest-1")
    assert not await is_let_in(gateway, "guest-2")
    known = [KEYS.of(guest).guest_address(guest) for guest in ("guest-1", "guest-2")]
    assert [await server.admin.exists(key) for key in known] == [1, 0]


async def test_bans_of_an_address_end_one_by_one(server: Valkey) -> None:
    """A ban of an address ends in its time, whatever other guests of the address are banned for."""
    bench = Bench(server)
    await bench.reopen(1)
    room = await bench.rooms.create(creation("den"), await bench.not_held("den"))
    assert isinstance(room, Room)
    broker = GuestBanBroker(server.pipe(), KEYS)
    await broker.note({"guest-1": SUBJECT, "guest-2": SUBJECT}, 3600)
    await broker.ban(room, "guest-1", 0.1)
    await broker.ban(room, "guest-2", 3600)
    assert await broker.holds(room, SUBJECT)
    await broker.lift(room, "guest-2")

    async def is_over() -> bool:
        return not await broker.holds(room, SUBJECT)

    assert await eventually(is_over)


async def test_what_the_broker_does_not_take(server: Valkey) -> None:
    """A place that the broker does not take back for a while is free in the end."""
    gateway, first = places(server), client()
    await gateway.take(first, "guest-1")
    await server.admin.rename(KEY, "aside")
    await server.admin.set(KEY, "of another type")
    gateway.leave(first)

    async def is_refused() -> bool:
        return "errorstat_WRONGTYPE" in await server.admin.info("errorstats")

    await eventually(is_refused)
    await server.admin.rename("aside", KEY)
    assert await eventually(lambda: is_let_in(gateway, "guest-2"))


async def test_what_is_refused_by_an_error(server: Valkey) -> None:
    """A client that the broker could not answer about keeps no place, also none at its gateway."""
    gateway = places(server)
    await server.admin.set(KEY, "of another type")
    with pytest.raises(Exception, match="WRONGTYPE"):
        await gateway.take(client(), "guest-1")
    await server.kill()  # the gateway counts alone
    assert await is_let_in(gateway, "guest-2")
    assert not await is_let_in(gateway, "guest-3")


async def test_what_was_forgotten(server: Valkey) -> None:
    """Once a gateway renews the places of an address, those of guests who have left are free."""
    broker = GuestBroker(server.pipe(), KEYS)

    async def held(gateway: str, *guests: str, max_guests: int = 0) -> int:
        return await broker.hold(
            SUBJECT, guests, [gateway], max_guests=max_guests, others_ended=False
        )

    assert await held("gw-1", "guest-1", "guest-2", max_guests=4) == 2
    assert await held("gw-2", "guest-3", "guest-4", max_guests=4) == 2
    assert await held("gw-1", "guest-2") == 1
    assert await held("gw-2", "guest-5", "guest-6", max_guests=4) == 1
