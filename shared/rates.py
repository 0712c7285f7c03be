"""Rates with a burst, and a token bucket that is one number (GCRA)."""

import math
import re
from typing import Final, NamedTuple, Self

_SYNTAX: Final = re.compile(r"([0-9]{1,7})/([0-9]{1,6}(?:\.[0-9]{1,3})?)?(ms|s|m|h):([0-9]{1,7})")
_UNITS: Final = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
_MAX_FILL_MICROSECONDS: Final = 7 * 24 * _UNITS["h"]
"""Microseconds that an empty bucket may take to fill."""


class TakenTokens(NamedTuple):
    """The answer of a bucket.

    Attributes:
        granted: the tokens taken; 0 if the bucket was empty.
        full_at: the time at which the bucket will be full, in microseconds of the caller's clock.
        wait: microseconds until the next token comes; 0 if tokens were granted.
    """

    granted: int
    full_at: int
    wait: int


class Rate:
    """A rate with a burst: `20/1s:60` allows 20 a second in the long run, and 60 at once.

    Attributes:
        interval: microseconds in which one token comes.
        per_second: tokens that come in a second; exact, where `interval` is rounded up.
        burst: the tokens of a full bucket.
    """

    __slots__ = ("_text", "burst", "interval", "per_second")

    def __init__(self, text: str, interval: int, per_second: float, burst: int) -> None:
        self._text = text
        self.interval = interval
        self.per_second = per_second
        self.burst = burst

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `COUNT/TIME:BURST`, the time as in `1s`, `500ms`, `10m` or `h`.

        Raises:
            ValueError: the text is not a rate.
        """
        found = _SYNTAX.fullmatch(text)
        if found is None or not int(found[1]) or not int(found[4]):
            raise ValueError("a rate is COUNT/TIME:BURST, as in 20/1s:60")
        microseconds = float(found[2] or 1) * _UNITS[found[3]]
        interval, burst = math.ceil(microseconds / int(found[1])), int(found[4])
        if not 1 <= interval * burst <= _MAX_FILL_MICROSECONDS:
            raise ValueError("a rate must give all of its burst within a week")
        return cls(text, interval, int(found[1]) / microseconds * 1e6, burst)

    def take(self, full_at: int, now: int, wanted: int) -> TakenTokens:
        """Take up to `wanted` tokens, as `take_tokens.lua` does.

        Args:
            full_at: the time at which the bucket is full; a time in the past for a full one.
            now: the present time, in microseconds of any clock.
            wanted: the number of tokens to take.
        """
        # A bucket is never less than empty. After the clock was set back by an hour, full_at lies
        # an hour too late, and users would be refused for that hour.
        full_at = min(max(full_at, now), now + self.burst * self.interval)
        room = now + self.burst * self.interval - full_at
        granted = min(wanted, room // self.interval)
        wait = 0 if granted else self.interval - room
        return TakenTokens(granted, full_at + granted * self.interval, wait)

    def __str__(self) -> str:
        return self._text
