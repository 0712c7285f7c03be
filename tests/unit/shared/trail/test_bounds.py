"""Which security events are written, and what is said of the others."""

import tracemalloc
from collections import Counter

import pytest

from shared.trail.bounds import MAX_SOURCES, MAX_SUMMARIES, Bounds, Source
from shared.trail.events import Ban, Login, LoginRefused, OperatorAction, SecurityEvent, Suppressed

REFUSED = LoginRefused(reason="token_invalid", address="192.0.2.1", transport="rest")
LOGIN = Login(user="ann", how="token", address="192.0.2.1", transport="websocket")
BAN = Ban(by="ann", address="192.0.2.1", room="den", user="eve")
OPERATOR = OperatorAction(action="POST /drain")

ANN = Source(user="ann")


class Clock:
    """A clock that is set by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def address(number: int) -> Source:
    """One of many addresses."""
    return Source(f"192.0.{number // 256}.{number % 256}")


def admitted(bounds: Bounds, event: SecurityEvent, source: Source, times: int) -> int:
    """How many of so many events of a source are to be written."""
    return sum(bounds.admit(event, source) for _ in range(times))


@pytest.mark.parametrize(("event", "burst"), [(REFUSED, 20), (LOGIN, 60), (BAN, 120)])
def test_a_source_has_its_share(event: SecurityEvent, burst: int) -> None:
    """A source may write so many events of a kind; its other kinds and other sources are free."""
    clock = Clock()
    bounds = Bounds(clock)
    assert admitted(bounds, event, ANN, 5000) == burst
    assert admitted(bounds, event, address(1), 1) == 1
    others = [other for other in (REFUSED, LOGIN, BAN) if other is not event]
    assert [bounds.admit(other, ANN) for other in others] == [True, True]
    clock.now += 60
    assert admitted(bounds, event, ANN, 5000) == burst // 2


def test_many_sources_together_have_a_share() -> None:
    """A kind has a bound for all addresses, which leaves others' kinds and proven users free."""
    bounds = Bounds(Clock())
    assert sum(bounds.admit(REFUSED, address(number)) for number in range(5000)) == 600
    assert bounds.admit(REFUSED, ANN)
    assert bounds.admit(BAN, address(1))
    assert bounds.admit(LOGIN, address(1))


def test_operators_have_no_bound() -> None:
    """What operators do is always written, and so are the summaries."""
    bounds = Bounds(Clock())
    assert admitted(bounds, OPERATOR, Source(), 5000) == 5000
    assert admitted(bounds, Suppressed(counts={}, seconds=30), Source(), 5000) == 5000
    assert bounds.end_period() == []


def test_a_summary_for_each_of_the_largest() -> None:
    """The ten sources with the most events have a line each, and the others one together."""
    clock = Clock()
    bounds = Bounds(clock)
    for number in range(25):
        admitted(bounds, REFUSED, address(number), 20 + 10 * number)
    admitted(bounds, LOGIN, ANN, 1000)
    clock.now += 30
    first, *others = bounds.end_period()
    assert first == Suppressed(counts={"login": 940}, seconds=30, user="ann")
    assert others == [
        *(
            Suppressed(
                counts={"login_refused": 10 * number}, seconds=30, address=address(number).address
            )
            for number in range(24, 15, -1)
        ),
        Suppressed(counts={"login_refused": sum(range(0, 160, 10))}, seconds=30, sources=15),
    ]
    assert bounds.end_period() == []


def test_no_event_is_lost_from_the_sums() -> None:
    """What is written and what is summed up make all there was, also of too many sources."""
    bounds = Bounds(Clock())
    written: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for number in range(3 * MAX_SOURCES):
        for event in (REFUSED, BAN):
            total[event.kind()] += 1
            written[event.kind()] += bounds.admit(event, address(number))
    summaries = bounds.end_period()
    for summary in summaries:
        written.update(summary.counts)
    assert written == total
    assert len(summaries) == MAX_SUMMARIES + 1
    assert summaries[-1].sources == MAX_SOURCES - MAX_SUMMARIES


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many more sources than are known take no more memory."""
    monkeypatch.setattr("shared.trail.bounds.MAX_SOURCES", 200)
    bounds = Bounds(Clock())
    sizes: list[int] = []
    tracemalloc.start()
    try:
        for _ in range(2):
            for number in range(5_000):
                bounds.admit(REFUSED, address(number + 5_000 * len(sizes)))
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert sizes[1] < 1.2 * sizes[0]


def test_a_quiet_source_is_forgotten() -> None:
    """What was known of sources that have been quiet is dropped at the end of a period."""
    clock = Clock()
    bounds = Bounds(clock)
    tracemalloc.start()
    try:
        for number in range(3_000):
            bounds.admit(REFUSED, address(number))
        full = tracemalloc.get_traced_memory()[0]
        clock.now += 600
        bounds.end_period()
        left = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert left < full / 3
