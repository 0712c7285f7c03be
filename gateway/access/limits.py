"""How much anybody may ask: token buckets that all gateways share, spent from small lots.

A gateway takes tokens in lots and spends them by itself, so that most of what a user asks costs
no call of the broker. What is left of a lot counts as taken: nobody gets more by being on several
gateways. While the broker is away each gateway counts by itself, so that
nobody is locked out.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Final, Literal

from shared.addresses import counted_as
from shared.broker.sessions.limits import Bucket, LimitBroker, Unreachable
from shared.config import Settings
from shared.errors import ChatError, rate_limited
from shared.rates import Rate
from shared.telemetry import logger

Kind = Literal[
    "connections", "user connections", "messages", "joins", "typing", "history", "requests", "rest"
]

PendingPermit = Coroutine[Any, Any, None]
"""To be awaited; it raises `rate_limited`, or `Shed`."""

MAX_LOT_TOKENS: Final = 16
"""Tokens that a gateway takes at a time; at most a quarter of the burst."""

BROKER_TIMEOUT_SECONDS: Final = 2.0
"""Seconds that the broker may take; then this gateway counts by itself."""

BROKER_RETRY_SECONDS: Final = 5.0
"""Seconds for which the broker is not asked again after it was away."""

UNUSED_LOT_SECONDS: Final = 60.0
"""Seconds after which a lot that nobody spends from is given up."""

log = logger(__name__)


class Shed(Exception):
    """It was too much, of what nobody misses: it is dropped without a word."""


class _Lot:
    """Tokens of somebody that this gateway may spend.

    Attributes:
        left: how many.
        spent: whether any was, since it was last looked at.
        blocked_until: when there will be another, by the loop's clock.
        asking: whether more are on their way.
    """

    __slots__ = ("asking", "blocked_until", "left", "spent")

    def __init__(self) -> None:
        self.left = 0
        self.spent = True
        self.blocked_until = 0.0
        self.asking: asyncio.Task[None] | None = None


class Limits:
    """The limits of one gateway."""

    def __init__(self, broker: LimitBroker, settings: Settings) -> None:
        self._broker = broker
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._rates: dict[Kind, Rate] = {
            "connections": settings.rate_connections,
            "user connections": settings.rate_user_connections,
            "messages": settings.rate_messages,
            "joins": settings.rate_joins,
            "typing": settings.rate_typing,
            "history": settings.rate_history,
            "requests": settings.rate_requests,
            "rest": settings.rate_rest,
        }
        self._lots: dict[tuple[Kind, str], _Lot] = {}
        # What this gateway counts by itself while the broker is away: when each is full again.
        self._own: dict[Bucket, int] = {}
        self._away_until = 0.0
        self._look_at = 0.0

    def ask(self, kind: Kind, user: str) -> PendingPermit | None:
        """Let a user ask something of a kind once more.

        Returns:
            None where it is granted; else what is to be awaited first, and raises as this does.

        Raises:
            ChatError: `rate_limited`.
            Shed: likewise, of an event that is worth no answer.
        """
        return self._spend(kind, user)

    async def connect(self, address: str) -> None:
        """Let an address connect once more.

        Raises:
            ChatError: `rate_limited`.
        """
        if waiting := self._spend("connections", counted_as(address)):
            await waiting

    async def connect_user(self, user: str) -> None:
        """Let a user connect once more.

        Raises:
            ChatError: `rate_limited`.
        """
        if waiting := self._spend("user connections", user):
            await waiting

    async def rest(self, address: str) -> None:
        """Let an address make one more request.

        Raises:
            ChatError: `rate_limited`.
        """
        if waiting := self._spend("rest", counted_as(address)):
            await waiting

    async def guess(self, room: str, user: str, address: str) -> "Guess":
        """Let a user try a password of a room once more.

        Returns:
            What takes it back if it was right.

        Raises:
            ChatError: `rate_limited`: too many were wrong.
        """
        settings = self._settings
        address = counted_as(address)
        guess = Guess(
            self,
            [
                Bucket("guesses", (room, user), settings.rate_guesses),
                Bucket("address guesses", (room, address), settings.rate_address_guesses),
                Bucket("room guesses", (room,), settings.rate_room_guesses),
            ],
        )
        granted, wait = await self._ask(guess.buckets, 1)
        if not granted:
            raise rate_limited(wait // 1000 + 1)
        return guess

    async def give_back(self, buckets: Sequence[Bucket]) -> None:
        """Give a token back to each of some buckets."""
        await self._ask(buckets, -1)

    def count_refusal(self, full_at: int) -> tuple[int, bool]:
        """Count something that a connection was refused.

        Args:
            full_at: what this returned the last time; 0 at first.

        Returns:
            What to give the next time, and whether that was once too often.
        """
        taken = self._settings.rate_refusals.take(full_at, self._now(), 1)
        return taken.full_at, not taken.granted

    def close(self) -> None:
        """Ask for nothing more."""
        for lot in self._lots.values():
            if lot.asking is not None:
                lot.asking.cancel()

    def _spend(self, kind: Kind, whose: str) -> PendingPermit | None:
        lot = self._lots.get((kind, whose))
        if lot is None:
            lot = self._lots[kind, whose] = _Lot()
        if not lot.left:
            self._check_blocked(lot, kind)
            return self._wait(lot, kind, whose)
        lot.left -= 1
        lot.spent = True
        if lot.left * 4 < self._lot_size(kind) and lot.asking is None:
            self._fill(lot, kind, whose)
        return None

    def _lot_size(self, kind: Kind) -> int:
        return max(1, min(MAX_LOT_TOKENS, self._rates[kind].burst // 4))

    def _check_blocked(self, lot: _Lot, kind: Kind) -> None:
        wait = lot.blocked_until - self._loop.time()
        if wait <= 0:
            return
        if kind == "typing":
            raise Shed
        raise rate_limited(int(wait * 1000) + 1)

    async def _wait(self, lot: _Lot, kind: Kind, whose: str) -> None:
        while not lot.left:
            self._check_blocked(lot, kind)
            await asyncio.shield(self._fill(lot, kind, whose))
        lot.left -= 1
        lot.spent = True

    def _fill(self, lot: _Lot, kind: Kind, whose: str) -> "asyncio.Task[None]":
        if lot.asking is None:
            lot.asking = self._loop.create_task(self._ask_for(lot, kind, whose))
        return lot.asking

    async def _ask_for(self, lot: _Lot, kind: Kind, whose: str) -> None:
        bucket = Bucket(kind, (whose,), self._rates[kind])
        try:
            granted, wait = await self._ask([bucket], self._lot_size(kind))
        finally:
            lot.asking = None
        lot.spent = True  # whoever waits for it is about to
        lot.left += granted
        lot.blocked_until = self._loop.time() + wait / 1e6
        self._forget()

    async def _ask(self, buckets: Sequence[Bucket], most: int) -> tuple[int, int]:
        """As `LimitBroker.take`; by this gateway's own count while the broker is away."""
        now = self._loop.time()
        if now >= self._away_until:
            try:
                async with asyncio.timeout(BROKER_TIMEOUT_SECONDS):
                    return await self._broker.take(buckets, most)
            except (Unreachable, TimeoutError) as error:
                self._away_until = self._loop.time() + BROKER_RETRY_SECONDS
                log.warning("limits are counted by this gateway alone", reason=str(error))
        return self._count_alone(buckets, most)

    def _count_alone(self, buckets: Sequence[Bucket], most: int) -> tuple[int, int]:
        now = self._now()
        taken = [each.rate.take(self._own.get(each, 0), now, most) for each in buckets]
        granted = min(one.granted for one in taken)
        if granted:
            for each in buckets:
                full_at = max(self._own.get(each, 0), now) + granted * each.rate.interval
                self._own[each] = full_at
        self._forget()
        return granted, max(one.wait for one in taken)

    def _forget(self) -> None:
        """Give up lots that nobody spends from, and buckets that are full."""
        now = self._loop.time()
        if now < self._look_at:
            return
        self._look_at = now + UNUSED_LOT_SECONDS
        for key, lot in list(self._lots.items()):
            if not lot.spent and lot.asking is None:
                del self._lots[key]
            lot.spent = False
        microseconds = self._now()
        self._own = {each: at for each, at in self._own.items() if at > microseconds}

    def _now(self) -> int:
        return int(self._loop.time() * 1e6)


class Guess:
    """A password that is being tried."""

    __slots__ = ("_limits", "buckets")

    def __init__(self, limits: Limits, buckets: Sequence[Bucket]) -> None:
        self._limits = limits
        self.buckets = buckets

    async def refund(self) -> None:
        """Count it as none."""
        await self._limits.give_back(self.buckets)


def retry_after(error: ChatError) -> str:
    """The seconds of a `Retry-After` header."""
    return str(max(1, -(-(error.retry_after or 1000) // 1000)))
