"""Guesses of rooms' passwords: counted by user, by address and by room, and given back if right.

The buckets of a user and of an address refuse. The room's bucket is everybody's, so it only slows:
otherwise strangers could shut a room to newcomers by wrong guesses. Where it is empty, guesses wait
for its next tokens in the order in which they came, one of each address and of each user at a time.
So a newcomer waits for one token for each address that attacks.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from gateway.access.rates.limits import Asker, Limits
from gateway.access.shares.slot import without_slot
from shared.addresses import rate_limit_address
from shared.broker.sessions.limits import Bucket
from shared.config import Settings
from shared.errors import rate_limited

MAX_WAIT_SECONDS: Final = 15.0
"""Seconds that a guess may wait for a token of its room.

The client's frames are not read meanwhile, its pongs neither, so it has to be shorter than the time
that a client has to answer a ping: 20 s for Engine.IO, and `PING_SECONDS` for a WebSocket.
"""

PING_FRACTION: Final = 0.75
"""The part of `PING_SECONDS` that a guess may wait, if that is shorter."""

T = TypeVar("T")


class Guess:
    """A guess that is being judged.

    Attributes:
        is_wrong: True once the password was found to be wrong; only such guesses count.
    """

    __slots__ = ("is_wrong",)

    def __init__(self) -> None:
        self.is_wrong = False


class _Line:
    """The guesses that wait for tokens of one room.

    Attributes:
        first: held by the guess that gets the next token; the others wait for it in order.
        waiting: the addresses and the users of all of them.
    """

    __slots__ = ("first", "waiting")

    def __init__(self) -> None:
        self.first = asyncio.Lock()
        self.waiting: set[tuple[str, str]] = set()


class Guesses:
    """Counts the guesses of rooms' passwords."""

    def __init__(self, limits: Limits, settings: Settings) -> None:
        self._limits = limits
        self._settings = settings
        self._max_wait = min(MAX_WAIT_SECONDS, settings.ping_seconds * PING_FRACTION)
        self._lines: dict[str, _Line] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    @asynccontextmanager
    async def guess(self, room: str, asker: Asker) -> AsyncIterator[Guess]:
        """Count a guess, for the block that judges it.

        It is given back unless the block finds it wrong: also where the block fails, or is
        cancelled because the client is gone.

        Args:
            room: form of the room's name; there need not be such a room.
            asker: whose guess it is.

        Raises:
            ChatError: `rate_limited`: too many guesses were wrong.
        """
        rates, address = self._settings, rate_limit_address(asker.address)
        own = (
            Bucket("guesses", (room, asker.rate_subject), rates.rate_guesses),
            Bucket("address guesses", (room, address), rates.rate_address_guesses),
        )
        of_room = Bucket("room guesses", (room,), rates.rate_room_guesses)
        granted, wait = await self._take(own)
        if not granted:
            self._limits.note_refusal("guesses", asker, room)
            raise rate_limited(wait // 1000 + 1)
        taken: tuple[Bucket, ...] = own
        guess = Guess()
        try:
            names = {("address", address), ("user", asker.rate_subject)}
            async with without_slot():
                await self._take_of_room(of_room, names, asker)
                taken = (*own, of_room)  # also if the slot is not given again
            yield guess
        finally:
            if not guess.is_wrong:
                await self._give_back(taken)

    async def _take_of_room(
        self, bucket: Bucket, names: set[tuple[str, str]], asker: Asker
    ) -> None:
        """Take a token of a room, or wait for one behind those who wait already."""
        (room,) = bucket.subject
        if room not in self._lines:
            granted, _ = await self._take([bucket])
            if granted:
                return
        line = self._lines.setdefault(room, _Line())
        if line.waiting & names:
            self._limits.note_refusal("room guesses", asker, room)
            raise rate_limited(bucket.rate.interval * len(line.waiting) // 2000 + 1)
        line.waiting |= names
        try:
            async with asyncio.timeout(self._max_wait), line.first:
                await self._wait_for_token(bucket)
        except TimeoutError:
            self._limits.note_refusal("room guesses", asker, room)
            raise rate_limited(bucket.rate.interval * len(line.waiting) // 2000 + 1) from None
        finally:
            line.waiting -= names
            if not line.waiting:
                del self._lines[room]

    async def _wait_for_token(self, bucket: Bucket) -> None:
        while True:
            granted, wait = await self._take([bucket])
            if granted:
                return
            await asyncio.sleep(wait / 1e6)

    async def _take(self, buckets: Sequence[Bucket]) -> tuple[int, int]:
        """Take a token of each bucket; give it back where the caller is cancelled meanwhile.

        The broker has been asked by then, and takes the tokens for a client that is gone.
        """
        taking = self._start(self._limits.buckets.take(buckets, 1))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            self._start(self._give_back_once_taken(taking, buckets))
            raise

    async def _give_back_once_taken(
        self, taking: asyncio.Task[tuple[int, int]], buckets: Sequence[Bucket]
    ) -> None:
        granted, _ = await taking
        if granted:
            await self._limits.buckets.give_back(buckets)

    async def _give_back(self, buckets: Sequence[Bucket]) -> None:
        # In a task of its own, as the one that guesses may be cancelled again.
        await asyncio.shield(self._start(self._limits.buckets.give_back(buckets)))

    def _start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run work in a task that is kept until it has ended."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
