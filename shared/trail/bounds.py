"""Bounds of the trail: of the events of a source, and of a kind from all sources.

One script must not push the events of others out of the file, and neither must many scripts. So
each kind has a bucket for each source, and one for everybody: a flood of refusals leaves the
buckets of bans and operators' actions as they are. What users did whose name is proved
counts apart from what anybody can do. What is not written is counted (decision 084).
"""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, Self

from shared.addresses import rate_limit_address
from shared.rates import Rate
from shared.trail.events import SecurityEvent, Suppressed, Weight

SUMMARY_SECONDS: Final = 30.0
"""Seconds between two summaries of what was not written."""

MAX_SOURCES: Final = 10_000
"""Buckets of sources, and sources with counts, that are known at a time."""

MAX_SUMMARIES: Final = 10
"""Sources with a summary of their own, for each period: those with the most events."""

OF_SOURCE: Final[Mapping[Weight, Rate]] = {
    Weight.ACT: Rate.parse("60/1m:120"),
    Weight.LOGIN: Rate.parse("30/1m:60"),
    Weight.REFUSAL: Rate.parse("10/1m:20"),
}
"""Events of a kind from one source, by weight."""

OF_KIND: Final[Mapping[tuple[Weight, bool], Rate]] = {
    (Weight.ACT, True): Rate.parse("300/1m:3000"),
    (Weight.ACT, False): Rate.parse("60/1m:1000"),
    (Weight.LOGIN, True): Rate.parse("600/1m:10000"),
    (Weight.LOGIN, False): Rate.parse("120/1m:2000"),
    (Weight.REFUSAL, True): Rate.parse("30/1m:600"),
    (Weight.REFUSAL, False): Rate.parse("30/1m:600"),
}
"""Events of a kind from all sources, by weight, and whether the sources are proven users."""


class Source(NamedTuple):
    """The source of an event: a user whose name is proved, or else an address.

    Attributes:
        address: as rates count it (`rate_limit_address`); empty for a user.
        user: the user's name; empty for an address.
    """

    address: str = ""
    user: str = ""

    @classmethod
    def at(cls, address: str) -> Self:
        """The source that somebody at a network address is."""
        return cls(rate_limit_address(address))


class Bounds:
    """Decides which events are written, and counts the others."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Begin the first period.

        Args:
            now: a monotonic clock, in seconds.
        """
        self._now = now
        self._began = now()
        # When each bucket is full again, in microseconds; the source that came last is last.
        self._sources: OrderedDict[tuple[Source, str], int] = OrderedDict()
        self._kinds: dict[tuple[str, bool], int] = {}
        self._counts: dict[Source, Counter[str]] = {}
        # What was not written of sources that are too many to be known.
        self._others: Counter[str] = Counter()

    def admit(self, event: SecurityEvent, source: Source) -> bool:
        """Return True if an event is to be written; count it if not."""
        weight = event.weight
        if weight is Weight.UNBOUNDED:
            return True
        now = int(self._now() * 1e6)
        kind = event.kind()
        if self._take_of_source(source, kind, weight, now) and self._take_of_kind(
            source, kind, weight, now
        ):
            return True
        self._count(kind, source)
        return False

    def end_period(self) -> list[Suppressed]:
        """Return the summaries of what was not written since the last time."""
        now = self._now()
        seconds, self._began = max(1, round(now - self._began)), now
        by_size = sorted(self._counts.items(), key=lambda each: -each[1].total())
        summaries = [
            Suppressed(
                counts=dict(counts),
                seconds=seconds,
                address=source.address or None,
                user=source.user or None,
            )
            for source, counts in by_size[:MAX_SUMMARIES]
        ]
        smaller = by_size[MAX_SUMMARIES:]
        for _, counts in smaller:
            self._others.update(counts)
        if self._others:
            summaries.append(
                Suppressed(counts=dict(self._others), seconds=seconds, sources=len(smaller))
            )
        self._counts, self._others = {}, Counter()
        full = [key for key, full_at in self._sources.items() if full_at <= now * 1e6]
        for key in full:
            del self._sources[key]
        return summaries

    def _take_of_source(self, source: Source, kind: str, weight: Weight, now: int) -> bool:
        key = (source, kind)
        taken = OF_SOURCE[weight].take(self._sources.get(key, 0), now, 1)
        self._sources[key] = taken.full_at
        self._sources.move_to_end(key)
        if len(self._sources) > MAX_SOURCES:
            self._sources.popitem(last=False)
        return taken.granted > 0

    def _take_of_kind(self, source: Source, kind: str, weight: Weight, now: int) -> bool:
        proven = bool(source.user)
        taken = OF_KIND[weight, proven].take(self._kinds.get((kind, proven), 0), now, 1)
        self._kinds[kind, proven] = taken.full_at
        return taken.granted > 0

    def _count(self, kind: str, source: Source) -> None:
        counts = self._counts.get(source)
        if counts is None:
            if len(self._counts) >= MAX_SOURCES:
                self._others[kind] += 1
                return
            counts = self._counts[source] = Counter()
        counts[kind] += 1
