"""The end of a run: wait until all is at rest, and gather the evidence."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Final

from tests.faults.arena import Arena
from tests.faults.client import Client
from tests.faults.evidence import Evidence, Finding, cursors_in, cursors_of, rows_of
from tests.faults.history import Item, now
from tests.faults.load import mark_seen
from tests.faults.strike import Strike
from tests.support.peer import Peer

LEAVING: Final = 5
"""Clients that leave in the end, for the others to notice."""


class Ending:
    """The last actions of a run, and waiting for their effects. A missing effect is a finding."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.findings: list[Finding] = []

    async def comes(self, kind: str, what: str, wanted: Awaitable[object]) -> None:
        """Wait for something, for `patience` seconds at most."""
        try:
            async with asyncio.timeout(self.arena.scale.patience):
                await wanted
        except (TimeoutError, AssertionError) as error:
            self.findings.append(Finding(kind, f"{what}: {error or 'not in time'}"))

    async def is_so(self, kind: str, what: str, look: Callable[[], object]) -> None:
        """Wait until `look` returns nothing; otherwise report what it returned last."""
        try:
            async with asyncio.timeout(self.arena.scale.patience):
                while look():  # noqa: ASYNC110 - clients, and another process's state
                    await asyncio.sleep(0.05)
        except TimeoutError:
            self.findings.append(Finding(kind, f"{what}: {str(look())[:300]}"))

    async def everyone_sends(self) -> None:
        """Let every client send successfully in each of its places."""
        sends = [
            client.send(place, "last")
            for client in self.arena.clients
            for place in client.places.values()
        ]
        await self.comes("stuck", "a send of every client", asyncio.gather(*sends))

    async def all_durable(self) -> None:
        """Wait until SQL has everything."""
        await self.is_so("stuck", "clients whose sends are not durable", self._unsettled)

    def _unsettled(self) -> list[str]:
        return [client.user for client in self.arena.clients if client.unsettled]

    async def all_seen(self) -> None:
        """Let every client mark everything as seen."""

        async def see_all(client: Client) -> None:
            for place in client.places.values():
                while not await mark_seen(client, place):
                    pass

        marks = [see_all(client) for client in self.arena.clients]
        await self.comes("stuck", "seen marks", asyncio.gather(*marks))

    async def presence(self) -> None:
        """Check that exactly the connected users are online, for every client and gateway."""
        await self._online_is(self.arena.clients, set())
        leaving = self.arena.random.sample(
            self.arena.clients, min(LEAVING, len(self.arena.clients) // 2)
        )
        await asyncio.gather(*(client.stop() for client in leaving))
        staying = [client for client in self.arena.clients if client not in leaving]
        await self._online_is(staying, {client.user for client in leaving})

    async def _online_is(self, watching: list[Client], left: set[str]) -> None:
        truth = {client.user for client in self.arena.clients} - left
        told = self.arena.history.online

        def wrong() -> dict[str, list[str]]:
            return {
                client.user: sorted(told.get(client.user, frozenset()) ^ truth)
                for client in watching
                if told.get(client.user, frozenset()) != truth
            }

        await self.is_so("presence", "clients told of others than are there", wrong)
        for n in range(1, self.arena.scale.gateways + 1):
            url = self.arena.cluster.gateway_url(n)
            what = f"who is online on gateway-{n}"
            await self.comes("presence", what, _sees(url, f"watcher{n}", truth))

    async def pages(self) -> dict[tuple[str, str], list[Item]]:
        """The whole history of every place, as each of its members reads it."""
        found: dict[tuple[str, str], list[Item]] = {}

        async def read_all(client: Client) -> None:
            for place in client.places.values():
                found[client.user, place.name] = await client.read_all(place)

        reads = [read_all(client) for client in self.arena.clients]
        await self.comes("stuck", "the whole history", asyncio.gather(*reads))
        return found


async def _sees(url: str, name: str, truth: set[str]) -> None:
    async with Peer(url, f"username={name}") as peer:
        await peer.request("userOnline", name)
        while {str(user) for user in (await peer.next("onlineUsers"))["data"]} - {name} != truth:
            pass
        await peer.request("userOffline", name)


async def end_quietly(arena: Arena, strikes: list[Strike], begun: float) -> Evidence:
    """Bring a run to rest and gather what it leaves."""
    ending = Ending(arena)
    await ending.comes("stuck", "all clients connected", arena.all_back())
    await ending.everyone_sends()
    await ending.all_durable()
    await ending.comes("presence", "ghosts gone", asyncio.gather(*arena.watching))
    cursors = await cursors_in(arena)
    await ending.all_seen()
    pages = await ending.pages()
    await _stored_seen(arena, ending)
    ended = now()
    await ending.presence()
    arena.history.close()
    names = {f"#{place.chat}": name for name, place in arena.places.items() if place.chat}
    rows = await asyncio.to_thread(rows_of, arena.cluster.database)
    return Evidence(
        begun=begun,
        ended=ended,
        history=arena.history,
        strikes=strikes,
        rows=[row._replace(place=names.get(row.place, row.place)) for row in rows],
        cursors=cursors,
        members=_members(arena),
        pages=pages,
        findings=ending.findings,
    )


def _members(arena: Arena) -> dict[str, list[str]]:
    """The users in each place."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for client in arena.clients:
        for name in client.places:
            found[name].append(client.user)
    return dict(found)


async def _stored_seen(arena: Arena, ending: Ending) -> None:
    """Wait until SQL has the cursors that everybody moved last."""
    wanted: dict[tuple[str, str], int] = {}
    names = {name: f"#{place.chat}" for name, place in arena.places.items() if place.chat}
    for operation in arena.history.operations:
        if operation.kind == "seen" and operation.outcome == "ok":
            where = (names.get(operation.place, operation.place), operation.user)
            wanted[where] = max(operation.seq, wanted.get(where, 0))

    def missing() -> list[str]:
        stored = cursors_of(arena.cluster.database)
        return [
            f"{user} in {place}: {stored.get((place, user))} instead of {seq}"
            for (place, user), seq in wanted.items()
            if stored.get((place, user), 0) < seq
        ]

    await ending.is_so("seen", "cursors behind what was accepted", missing)
