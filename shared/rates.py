"""Rates: so many in so long, with a burst; a token bucket as one number (GCRA)."""

import math
import re
from typing import Final, NamedTuple, Self

_SYNTAX: Final = re.compile(r"([0-9]{1,7})/([0-9]{1,6}(?:\.[0-9]{1,3})?)?(ms|s|m|h):([0-9]{1,7})")
_UNITS: Final = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
_MAX_FILL_MICROSECONDS: Final = 7 * 24 * _UNITS["h"]
"""Microseconds that an empty bucket may take to fill."""


class TakenTokens(NamedTuple):
    """What a bucket gave.

    Attributes:
        granted: tokens; 0 if there was none.
        full_at: when the bucket will be full again, in microseconds of the clock it was asked by.
        wait: microseconds until there is one; 0 if there was.
    """

    granted: int
    full_at: int
    wait: int


class Rate:
    """How fast something may happen: `20/1s:60` is 20 a second for long, and 60 at once.

    Attributes:
        interval: microseconds in which one token comes.
        burst: tokens that a full bucket has.
    """

    __slots__ = ("_text", "burst", "interval")

    def __init__(self, text: str, interval: int, burst: int) -> None:
        self._text = text
        self.interval = interval
        self.burst = burst

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `COUNT/TIME:BURST`, the time as in `1s`, `500ms`, `10m` or `h`.

        Raises:
            ValueError: that is no rate.
        """
        found = _SYNTAX.fullmatch(text)
        if found is None or not int(found[1]) or not int(found[4]):
            raise ValueError("a rate is COUNT/TIME:BURST, as in 20/1s:60")
        microseconds = float(found[2] or 1) * _UNITS[found[3]]
        interval, burst = math.ceil(microseconds / int(found[1])), int(found[4])
        if not 1 <= interval * burst <= _MAX_FILL_MICROSECONDS:
            raise ValueError("a rate must give all of its burst within a week")
        return cls(text, interval, burst)

    def take(self, full_at: int, now: int, wanted: int) -> TakenTokens:
        """Take up to `wanted` tokens, as `take_tokens.lua` does.

        Args:
            full_at: when the bucket is full again; any time in the past for a full one.
            now: the time, in microseconds of any clock.
            wanted: the number of tokens to take.
        """
        # At most empty: a clock that was set back locks nobody out.
        full_at = min(max(full_at, now), now + self.burst * self.interval)
        room = now + self.burst * self.interval - full_at
        granted = min(wanted, room // self.interval)
        wait = 0 if granted else self.interval - room
        return TakenTokens(granted, full_at + granted * self.interval, wait)

    def __str__(self) -> str:
        return self._text
