"""The promised limits of a delivery's cost ("bars"), and a check of a result."""

from collections.abc import Iterable
from typing import NamedTuple

from tests.bench.report import Report

NODE = ("node-streams", "node-redis")
OURS = ("parley-json", "parley-socketio")


class Limit(NamedTuple):
    """So many times what a peer needs; with no peer, an absolute value."""

    times: float
    peer: str = ""

    def value(self, report: Report, scenario: str, figure: str) -> float | None:
        """The highest value that keeps the limit; None if the peer was not measured."""
        if not self.peer:
            return self.times
        peers = NODE if self.peer == "node" else (self.peer,)
        cheapest = least(report, peers, scenario, figure)
        return None if cheapest is None else self.times * cheapest

    def __str__(self) -> str:
        names = {"node": "the cheaper Node adapter", "nats": "NATS"}
        return f"{self.times:.3g} x {names[self.peer]}" if self.peer else f"{self.times:g}"


class Bar(NamedTuple):
    """A figure of a scenario, what it must not exceed, and what would be better still."""

    scenario: str
    figure: str
    title: str
    limits: tuple[Limit, ...]
    stretch: Limit | None


BARS = (
    Bar(
        "rooms50x16",
        "cpu_us",
        "rooms of 50, 16 in flight: CPU us a delivery",
        (Limit(1 / 5, "node"), Limit(1.3, "nats")),
        Limit(1, "nats"),
    ),
    Bar(
        "rooms50x4",
        "cpu_us",
        "rooms of 50, 4 in flight: CPU us a delivery",
        (Limit(1 / 3, "node"), Limit(1.2, "nats")),
        Limit(1, "nats"),
    ),
    Bar(
        "direct",
        "cpu_us",
        "direct chats, 4 in flight: CPU us a delivery",
        (Limit(1 / 3, "node"),),
        Limit(1.5, "nats"),
    ),
    Bar(
        "direct1",
        "cpu_us",
        "direct chats, 1 in flight: CPU us a delivery",
        (Limit(1 / 3, "node"),),
        Limit(1.5, "nats"),
    ),
    Bar("rate10k", "p50_ms", "10,000 deliveries/s: p50 ms", (Limit(1, "node"),), None),
    Bar(
        "rate10k", "p99_ms", "10,000 deliveries/s: p99 ms", (Limit(1, "node"),), Limit(1.5, "nats")
    ),
    Bar(
        "rate10k",
        "cpu_us",
        "10,000 deliveries/s: CPU us a delivery",
        (Limit(0.7, "node"),),
        Limit(1, "nats"),
    ),
    Bar("idle", "idle_kib", "an idle connection: KiB", (Limit(1, "node"),), Limit(11)),
    Bar("idle", "intake_cpu_us", "taking one in: CPU us", (Limit(1, "nats"),), Limit(300)),
    Bar(
        "room1000",
        "last_p99_ms",
        "one room of 1,000: p99 ms to the last member",
        (Limit(1, "node"),),
        Limit(1, "nats"),
    ),
)


class Verdict(NamedTuple):
    """The result of a Parley protocol at a bar; `stretch` is None without a stretch goal."""

    bar: Bar
    system: str
    value: float
    limit: float
    met: bool
    stretch: bool | None
    to_node: float | None
    to_nats: float | None


def least(report: Report, systems: Iterable[str], scenario: str, figure: str) -> float | None:
    """The lowest median of some systems; None if none of them was measured."""
    spreads = (report.spread(system, scenario, figure) for system in systems)
    return min((spread.mid for spread in spreads if spread), default=None)


def judge(report: Report) -> list[Verdict]:
    """The verdicts for every bar whose scenario was measured for Parley and a peer."""
    return [
        verdict
        for bar in BARS
        for system in OURS
        if (verdict := _judge(report, bar, system)) is not None
    ]


def _judge(report: Report, bar: Bar, system: str) -> Verdict | None:
    spread = report.spread(system, bar.scenario, bar.figure)
    given = [limit.value(report, bar.scenario, bar.figure) for limit in bar.limits]
    limits = [value for value in given if value is not None]
    if spread is None or not limits:
        return None
    further = bar.stretch.value(report, bar.scenario, bar.figure) if bar.stretch else None
    return Verdict(
        bar,
        system,
        spread.mid,
        min(limits),
        met=spread.mid <= min(limits),
        stretch=None if further is None else spread.mid <= further,
        to_node=_ratio(spread.mid, least(report, NODE, bar.scenario, bar.figure)),
        to_nats=_ratio(spread.mid, least(report, ("nats",), bar.scenario, bar.figure)),
    )


def _ratio(ours: float, theirs: float | None) -> float | None:
    return ours / theirs if theirs else None
