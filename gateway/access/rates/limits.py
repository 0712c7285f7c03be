"""Rate limits: token buckets in the broker that all gateways share, spent from small lots.

A gateway takes tokens in lots and spends them locally, so most actions cost no call of the broker.
The rest of a lot counts as taken, so connecting to several gateways gives a user nothing more.
While the broker is away each gateway counts alone, so that users are not locked out.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, Literal, Protocol

from gateway.access.rates.buckets import Buckets
from shared.addresses import rate_limit_address
from shared.broker.sessions.limits import Bucket, LimitBroker
from shared.config import Settings
from shared.errors import ChatError, rate_limited
from shared.rates import Rate
from shared.trail import Source, Trail
from shared.trail.events import Limited

Kind = Literal[
    "connections", "user connections", "messages", "joins", "typing", "history", "requests", "rest"
]

PendingPermit = Coroutine[Any, Any, None]
"""Awaits a token from the broker; raises `rate_limited`, or `Shed`."""

MAX_LOT_TOKENS: Final = 16
"""Tokens that a gateway takes at a time, but at most a quarter of the rate's burst."""

UNUSED_LOT_SECONDS: Final = 60.0
"""Seconds after which an unused lot is dropped."""


class Asker(Protocol):
    """Whoever asks for something: a client, or a REST request's user."""

    @property
    def address(self) -> str:
        """The network address."""
        ...

    @property
    def rate_subject(self) -> str:
        """The name under which its rates count: of a user, or of the guests of an address."""
        ...

    @property
    def display_name(self) -> str:
        """The name; empty, or `User <sid>`, for one without a name."""
        ...

    @property
    def source(self) -> Source:
        """The source of its security events."""
        ...


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
    """Applies the rate limits on one gateway.

    Attributes:
        buckets: of all rates, to be taken from without a lot.
    """

    def __init__(self, broker: LimitBroker, settings: Settings, trail: Trail) -> None:
        self.buckets = Buckets(broker)
        self._trail = trail
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
        self._sweep_at = 0.0

    def ask(self, kind: Kind, asker: Asker, cost: int = 1) -> PendingPermit | None:
        """Count one action of a client, by its `rate_subject`.

        Args:
            kind: the rate that counts the action.
            asker: whose it is.
            cost: tokens to take, or all of the burst if that is less. Where there are fewer, they
                are put aside for the next try, so that it succeeds in the end.

        Returns:
            None where the action is granted; else a coroutine to await first, which raises the
            same errors.

        Raises:
            ChatError: `rate_limited`.
            Shed: the rate is exceeded by an event that needs no answer.
        """
        return self._spend(kind, asker.rate_subject, asker, cost)

    async def connect(self, address: str) -> None:
        """Count one connection of an address.

        Raises:
            ChatError: `rate_limited`.
        """
        if waiting := self._spend("connections", rate_limit_address(address), address):
            await waiting

    async def connect_user(self, subject: str, asker: Asker) -> None:
        """Count one connection of a user, or of a guest of an address.

        Args:
            subject: the `rate_subject` that the client has, or will have as a guest.
            asker: the client.

        Raises:
            ChatError: `rate_limited`.
        """
        if waiting := self._spend("user connections", subject, asker):
            await waiting

    async def rest(self, address: str) -> None:
        """Count one REST request of an address.

        Raises:
            ChatError: `rate_limited`.
        """
        if waiting := self._spend("rest", rate_limit_address(address), address):
            await waiting

    def page(self, address: str) -> None:
        """Count one request of an address for a file, a document or nothing that there is.

        Each gateway counts them by itself: they cost the others nothing, and are answered without
        the broker.

        Raises:
            ChatError: `rate_limited`.
        """
        subject = (rate_limit_address(address),)
        granted, wait = self.buckets.take_alone(
            [Bucket("pages", subject, self._settings.rate_pages)], 1
        )
        if not granted:
            self.note_refusal("pages", address)
            raise rate_limited(wait // 1000 + 1)

    def note_refusal(self, rate: str, who: Asker | str, room: str | None = None) -> None:
        """Write to the trail that a rate refused somebody.

        Args:
            rate: as `Kind` names it, or another name.
            who: a client, or an address where the rate counts addresses.
            room: the room, where the rate counts guesses.
        """
        rate = rate.replace(" ", "_")
        if isinstance(who, str):
            event, source = Limited(rate=rate, address=who), Source.at(who)
        else:
            user = who.display_name or None
            event = Limited(rate=rate, address=who.address, user=user, room=room)
            source = who.source
        self._trail.note(event, source)

    def close(self) -> None:
        """Cancel all calls of the broker."""
        for lot in self._lots.values():
            if lot.refill is not None:
                lot.refill.cancel()

    def _spend(
        self, kind: Kind, subject: str, who: Asker | str, cost: int = 1
    ) -> PendingPermit | None:
        lot = self._lots.get((kind, subject))
        if lot is None:
            lot = self._lots[kind, subject] = _Lot()
        if lot.left < cost:
            cost = min(cost, self._rates[kind].burst)
            self._check_blocked(lot, kind, who, cost)
            return self._wait(lot, kind, subject, who, cost)
        lot.left -= cost
        lot.used = True
        # Refill before the lot is empty, so that a steady user never waits for the broker.
        if lot.left * 4 < self._lot_size(kind) and lot.refill is None:
            self._start_refill(lot, kind, subject)
        return None

    def _lot_size(self, kind: Kind) -> int:
        return max(1, min(MAX_LOT_TOKENS, self._rates[kind].burst // 4))

    def _check_blocked(self, lot: _Lot, kind: Kind, who: Asker | str, cost: int) -> None:
        wait = lot.blocked_until - self._loop.time()
        if wait <= 0 or lot.left >= cost:
            return
        if kind == "typing":
            raise Shed
        self.note_refusal(kind, who)
        behind_the_next = (cost - lot.left - 1) * self._rates[kind].interval
        raise rate_limited(int(wait * 1000) + behind_the_next // 1000 + 1)

    async def _wait(self, lot: _Lot, kind: Kind, subject: str, who: Asker | str, cost: int) -> None:
        while lot.left < cost:
            self._check_blocked(lot, kind, who, cost)
            await asyncio.shield(self._start_refill(lot, kind, subject, cost - lot.left))
        lot.left -= cost
        lot.used = True

    def _start_refill(
        self, lot: _Lot, kind: Kind, subject: str, wanted: int = 0
    ) -> "asyncio.Task[None]":
        if lot.refill is None:
            count = max(wanted, self._lot_size(kind))
            lot.refill = self._loop.create_task(self._refill(lot, kind, subject, count))
        return lot.refill

    async def _refill(self, lot: _Lot, kind: Kind, subject: str, count: int) -> None:
        bucket = Bucket(kind, (subject,), self._rates[kind])
        try:
            granted, wait = await self.buckets.take([bucket], count)
        finally:
            lot.refill = None
        lot.used = True  # a client that waits for the lot is about to use it
        lot.left += granted
        lot.blocked_until = self._loop.time() + wait / 1e6
        self._sweep()

    def _sweep(self) -> None:
        """Drop unused lots."""
        now = self._loop.time()
        if now < self._sweep_at:
            return
        self._sweep_at = now + UNUSED_LOT_SECONDS
        for key, lot in list(self._lots.items()):
            if not lot.used and lot.refill is None:
                del self._lots[key]
            lot.used = False


def retry_after(error: ChatError) -> str:
    """Return the value of the `Retry-After` header for an error, in seconds."""
    return str(max(1, -(-(error.retry_after or 1000) // 1000)))
