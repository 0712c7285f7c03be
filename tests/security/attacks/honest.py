"""Honest users of a gateway that others attack: how long their messages take, and who is lost."""

import asyncio
import contextlib
import time
from typing import Final, Self

from websockets.exceptions import ConnectionClosed

from tests.security.doors import make, new_address, pass_for
from tests.support.peer import Peer, Refusal
from tests.support.waiting import eventually

SPEAKERS: Final = 4
"""Users who take turns: together they may say more than one may."""
PACE_SECONDS: Final = 0.015
"""Between two messages."""
PATIENCE_SECONDS: Final = 15.0
"""A message that takes longer counts as one that took so long."""
ROOM: Final = "honest"


class Honest:
    """Users in a room, who talk in turn through one gateway.

    Args:
        url: of the gateway.

    Attributes:
        trips: seconds from each message to its reply and its event, since `clear`.
        failed: messages that were refused or not answered, and connections that ended.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._peers: list[Peer] = []
        self._turn = 0
        self.trips: list[float] = []
        self.failed = 0

    async def __aenter__(self) -> Self:
        for number in range(SPEAKERS):
            self._peers.append(await self._enter(number))
            if number == 0:
                await make(self._peers[0], ROOM)
        return self

    async def __aexit__(self, *_: object) -> None:
        for peer in self._peers:
            await _leave(peer)

    def clear(self) -> None:
        """Forget what was measured."""
        self.trips, self.failed = [], 0

    async def talk(self, until: float) -> None:
        """Say something in turn until a time of `time.monotonic`."""
        while (begun := time.monotonic()) < until:
            self._turn = (self._turn + 1) % SPEAKERS
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._say(self._peers[self._turn])
            except (Refusal, ConnectionError, TimeoutError, ConnectionClosed, AssertionError):
                self.failed += 1
            self.trips.append(time.monotonic() - begun)
            await asyncio.sleep(PACE_SECONDS)

    async def recover(self) -> None:
        """Wait until the gateway serves users again, and replace those who were lost."""

        async def all_served() -> bool:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    for number in range(SPEAKERS):
                        if self._peers[number].close_code is not None:
                            self._peers[number] = await self._enter(number)
                        await self._say(self._peers[number])
            except (Refusal, OSError, TimeoutError, ConnectionClosed, AssertionError):
                return False
            return True

        await eventually(all_served)
        for peer in self._peers:
            peer.frames.clear()
            peer._taken = 0  # noqa: SLF001 - what was said is not kept for hours

    async def _enter(self, number: int) -> Peer:
        peer = Peer(self._url, token=pass_for(f"honest {number}"), headers=new_address())
        await peer.__aenter__()
        if number or self._peers:
            await peer.request("joinRoom", {"room": ROOM})
        return peer

    async def _say(self, peer: Peer) -> None:
        said = await peer.request("message", {"room": ROOM, "content": "hello"})
        while (await peer.next("message", room=ROOM))["data"]["id"] != said["id"]:
            pass


async def _leave(peer: Peer) -> None:
    with contextlib.suppress(OSError, ConnectionClosed, TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await peer.__aexit__(None, None, None)
