"""Rate limits: token buckets in the broker that all gateways share, spent from small lots.

A gateway takes tokens in lots and spends them locally, so most actions cost no call of the broker.
The rest of a lot counts as taken, so connecting to several gateways gives a user nothing more.
While the broker is away each gateway counts alone, so that users are not locked out.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Final, Literal

from shared.addresses import rate_limit_address
from shared.broker.sessions.limits import Bucket, LimitBroker, LimitsUnavailable
from shared.config import Settings
from shared.errors import ChatError, rate_limited
from shared.rates import Rate
from shared.telemetry import logger

Kind = Literal[
    "connections", "user connections", "messages", "joins", "typing", "history", "requests", "rest"
]

PendingPermit = Coroutine[Any, Any, None]
"""Awaits a token from the broker; raises `rate_limited`, or `Shed`."""

MAX_LOT_TOKENS: Final = 16
"""Tokens that a gateway takes at a time, but at most a quarter of the rate's burst."""

BROKER_TIMEOUT_SECONDS: Final = 2.0
"""Seconds that the broker may take to answer; then this gateway counts alone."""

BROKER_RETRY_SECONDS: Final = 5.0
"""Seconds until the broker is asked again after it did not answer."""

UNUSED_LOT_SECONDS: Final = 60.0
"""Seconds after which an unused lot is dropped."""

log = logger(__name__)


class Shed(Exception):
    """A rate was exceeded by events that need no error, such as typing; they are dropped."""


class _Lot:
    """Tokens of one rate-limit subject that this gateway may spend.

    Attributes:
        left: number of tokens.
        used: True if a token was spent since the last sweep.
        blocked_until: time of the next token, by the event loop's clock.
        refill: the call that fetches more tokens, while it runs.
    """

    __slots__ = ("blocked_until", "left", "refill", "used")

    def __init__(self) -> None:
        self.left = 0
        self.used = True
        self.blocked_until = 0.0
        self.refill: asyncio.Task[None] | None = None


class Limits:
    """Applies the rate limits on one gateway."""

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
        # Buckets that this gateway counts alone while the broker is away, each with the time in
        # microseconds at which it is full again.
        self._local_buckets: dict[Bucket, int] = {}
        self._ask_broker_at = 0.0
        self._sweep_at = 0.0

    def ask(self, kind: Kind, user: str) -> PendingPermit | None:
        """Count one action of a user.

        Returns:
            None where the action is granted; else a coroutine to await first, which raises the
            same errors.

        Raises:
            ChatError: `rate_limited`.
            Shed: the rate is exceeded by an event that needs no answer.
        """
        return self._spend(kind, user)

    async def connect(self, address: str) -> None:
        """Count one connection of an address.

        Raises:
            ChatError: `rate_limited`.
        """
        if waiting := self._spend("connections", rate_limit_address(address)):
            await waiting

    async def connect_user(self, user: str) -> None:
        """Count one connection of a user.

        Raises:
            ChatError: `rate_limited`.
        """
        if waiting := self._spend("user connections", user):
            await waiting

    async def rest(self, address: str) -> None:
        """Count one REST request of an address.

        Raises:
            ChatError: `rate_limited`.
        """
        if waiting := self._spend("rest", rate_limit_address(address)):
            await waiting

    async def guess(self, room: str, user: str, address: str) -> "Guess":
        """Count one guess of a room's password, before the password is checked.

        Returns:
            The guess, to refund if the password is right: only wrong ones count.

        Raises:
            ChatError: `rate_limited`: too many guesses were wrong.
        """
        settings = self._settings
        address = rate_limit_address(address)
        guess = Guess(
            self,
            [
                Bucket("guesses", (room, user), settings.rate_guesses),
                Bucket("address guesses", (room, address), settings.rate_address_guesses),
                Bucket("room guesses", (room,), settings.rate_room_guesses),
            ],
        )
        granted, wait = await self._take(guess.buckets, 1)
        if not granted:
            raise rate_limited(wait // 1000 + 1)
        return guess

    async def give_back(self, buckets: Sequence[Bucket]) -> None:
        """Return one token to each of the buckets."""
        await self._take(buckets, -1)

    def count_refusal(self, full_at: int) -> tuple[int, bool]:
        """Count one refusal of a connection.

        Args:
            full_at: the first value that this method returned last time for the connection;
                0 at first.

        Returns:
            The value to pass next time, and True if the connection was refused too often.
        """
        taken = self._settings.rate_refusals.take(full_at, self._now(), 1)
        return taken.full_at, not taken.granted

    def close(self) -> None:
        """Cancel all calls of the broker."""
        for lot in self._lots.values():
            if lot.refill is not None:
                lot.refill.cancel()

    def _spend(self, kind: Kind, subject: str) -> PendingPermit | None:
        lot = self._lots.get((kind, subject))
        if lot is None:
            lot = self._lots[kind, subject] = _Lot()
        if not lot.left:
            self._check_blocked(lot, kind)
            return self._wait(lot, kind, subject)
        lot.left -= 1
        lot.used = True
        # Refill before the lot is empty, so that a steady user never waits for the broker.
        if lot.left * 4 < self._lot_size(kind) and lot.refill is None:
            self._start_refill(lot, kind, subject)
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

    async def _wait(self, lot: _Lot, kind: Kind, subject: str) -> None:
        while not lot.left:
            self._check_blocked(lot, kind)
            await asyncio.shield(self._start_refill(lot, kind, subject))
        lot.left -= 1
        lot.used = True

    def _start_refill(self, lot: _Lot, kind: Kind, subject: str) -> "asyncio.Task[None]":
        if lot.refill is None:
            lot.refill = self._loop.create_task(self._refill(lot, kind, subject))
        return lot.refill

    async def _refill(self, lot: _Lot, kind: Kind, subject: str) -> None:
        bucket = Bucket(kind, (subject,), self._rates[kind])
        try:
            granted, wait = await self._take(buckets=[bucket], count=self._lot_size(kind))
        finally:
            lot.refill = None
        lot.used = True  # a client that waits for the lot is about to use it
        lot.left += granted
        lot.blocked_until = self._loop.time() + wait / 1e6
        self._sweep()

    async def _take(self, buckets: Sequence[Bucket], count: int) -> tuple[int, int]:
        """Do the same as `LimitBroker.take`, counting alone while the broker is away."""
        now = self._loop.time()
        if now >= self._ask_broker_at:
            try:
                async with asyncio.timeout(BROKER_TIMEOUT_SECONDS):
                    return await self._broker.take(buckets, count)
            except (LimitsUnavailable, TimeoutError) as error:
                self._ask_broker_at = self._loop.time() + BROKER_RETRY_SECONDS
                log.warning(
                    "the broker does not answer: rates are counted by this gateway alone",
                    reason=str(error),
                )
        return self._take_locally(buckets, count)

    def _take_locally(self, buckets: Sequence[Bucket], count: int) -> tuple[int, int]:
        now, local = self._now(), self._local_buckets
        taken = [bucket.rate.take(local.get(bucket, 0), now, count) for bucket in buckets]
        # All buckets or none: what the strictest of them grants is taken from each.
        granted = min(each.granted for each in taken)
        if granted:
            for bucket in buckets:
                full_at = max(local.get(bucket, 0), now) + granted * bucket.rate.interval
                local[bucket] = full_at
        self._sweep()
        return granted, max(each.wait for each in taken)

    def _sweep(self) -> None:
        """Drop unused lots, and local buckets that are full again."""
        now = self._loop.time()
        if now < self._sweep_at:
            return
        self._sweep_at = now + UNUSED_LOT_SECONDS
        for key, lot in list(self._lots.items()):
            if not lot.used and lot.refill is None:
                del self._lots[key]
            lot.used = False
        microseconds = self._now()
        self._local_buckets = {
            bucket: full_at
            for bucket, full_at in self._local_buckets.items()
            if full_at > microseconds
        }

    def _now(self) -> int:
        """Return the time by the event loop's clock, in microseconds."""
        return int(self._loop.time() * 1e6)


class Guess:
    """A guess of a password that was counted and is being checked."""

    __slots__ = ("_limits", "buckets")

    def __init__(self, limits: Limits, buckets: Sequence[Bucket]) -> None:
        self._limits = limits
        self.buckets = buckets

    async def refund(self) -> None:
        """Take the count back, as the password was right."""
        await self._limits.give_back(self.buckets)


def retry_after(error: ChatError) -> str:
    """Return the value of the `Retry-After` header for an error, in seconds."""
    return str(max(1, -(-(error.retry_after or 1000) // 1000)))
