"""The wait for a server at the start of a process: how long, and what is said meanwhile.

A setting that names no server, or a password that it refuses, looks like a server that is not up
yet. So what cannot pass by itself ends a process at once, with exit code 2, and what can pass ends
it after `START_SECONDS`, unless it is told to wait for as long as it takes.
"""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_fixed

from shared.config.errors import ConfigError

PAUSE_SECONDS: Final = 0.5
"""Seconds between two attempts."""

REPORT_SECONDS: Final = 10.0
"""Seconds between two lines about what is waited for."""

T = TypeVar("T")


class Unreachable(ConfigError):
    """A server cannot be used; the text is one sentence that names its setting.

    Attributes:
        permanent: True if waiting does not help, as with a wrong password.
    """

    def __init__(self, sentence: str, *, permanent: bool = False) -> None:
        super().__init__(sentence)
        self.permanent = permanent


class Reports:
    """Passes on every sentence that is new, and one that is not every `REPORT_SECONDS`."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._last = ""
        self._said_at = 0.0

    def say(self, sentence: str) -> None:
        """Say it, unless it was said just now."""
        now = monotonic()
        if sentence != self._last or now - self._said_at >= REPORT_SECONDS:
            self._last, self._said_at = sentence, now
            self._say(sentence)


async def until_reached(
    attempt: Callable[[], Awaitable[T]],
    *,
    within: float,
    say: Callable[[str], object],
    ended: Callable[[], bool] = lambda: False,
) -> T | None:
    """Repeat an attempt until its server can be used.

    Args:
        attempt: raises `Unreachable`.
        within: seconds; 0 to wait for as long as it takes.
        say: takes a sentence about what is waited for, at once and every `REPORT_SECONDS`.
        ended: True once the wait has no use any more.

    Returns:
        What the attempt returned; None if the wait has ended before.

    Raises:
        Unreachable: waiting does not help, or has not helped.
    """
    reports = Reports(say)

    def give_up(state: RetryCallState) -> bool:
        return ended() or bool(within and (state.seconds_since_start or 0) >= within)

    def at_the_end(state: RetryCallState) -> None:
        if not ended():
            raise Unreachable(f"{reason_of(state)}, for {within:g} s") from None

    async for each in AsyncRetrying(
        retry=retry_if_exception(
            lambda error: isinstance(error, Unreachable) and not error.permanent
        ),
        wait=wait_fixed(PAUSE_SECONDS),
        stop=give_up,
        before_sleep=lambda state: reports.say(f"{reason_of(state)}; trying again"),
        retry_error_callback=at_the_end,
    ):
        with each:
            return await attempt()
    return None


def reason_of(state: RetryCallState) -> str:
    """The first line of the error that an attempt ended with."""
    return str(state.outcome and state.outcome.exception()).split("\n", 1)[0]
