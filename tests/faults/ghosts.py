"""Users of one gateway who do not come back, and the time after which they go offline."""

import asyncio
import itertools
from types import TracebackType
from typing import Final, Self

from tests.faults.arena import PATIENCE, Arena
from tests.faults.history import now
from tests.faults.strike import Strike
from tests.support.peer import Peer
from tests.support.waiting import eventually

_numbers: Final = itertools.count(1)


class Ghosts:
    """Two users of one gateway, seen online by everybody before the body of the `with` begins."""

    def __init__(self, arena: Arena, gateway: str) -> None:
        self._arena = arena
        self._url = arena.cluster.gateway_url(int(gateway.rpartition("-")[2]))
        self._names = {f"ghost{next(_numbers)}" for _ in range(2)}
        self._peers: list[Peer] = []

    async def __aenter__(self) -> Self:
        for name in self._names:
            peer = await Peer(self._url, f"username={name}").__aenter__()
            self._peers.append(peer)
            await peer.request("userOnline", name)

        async def shown() -> bool:
            online = self._arena.history.online.values()
            return any(self._names <= users for users in online)

        await eventually(shown)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.gather(
            *(peer.__aexit__(None, None, None) for peer in self._peers), return_exceptions=True
        )

    async def fade(self, strike: Strike) -> None:
        """Note the time at which the last client sees the last of them go offline."""

        async def gone() -> bool:
            online = self._arena.history.online.values()
            return not any(self._names & users for users in online)

        # A server that stands still right after the kill adds its own time: nobody judges the dead
        # gateway then.
        await eventually(gone, 2 * PATIENCE)
        strike.healed["offline"] = now() - strike.begun
