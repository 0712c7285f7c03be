"""The figures of a run, for the table, the JSON and the picture."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from tests.faults.checker import Violation, in_words
from tests.faults.evidence import Evidence
from tests.faults.scale import Scale
from tests.faults.strike import FAULTS, Strike

VERSION: Final = 1
"""Of the JSON's shape."""


class OperationFigures(msgspec.Struct, frozen=True):
    """The number of operations of a kind, their outcomes, and latencies of successes in ms."""

    kind: str
    invoked: int
    ok: int
    failed: int
    unknown: int
    p50_ms: float
    p99_ms: float


class FaultFigures(msgspec.Struct, frozen=True):
    """A kind of fault.

    Attributes:
        hits: strikes that found operations in flight.
        in_flight: operations that were, in all of its strikes.
        measure: what counts as healed.
        healed: seconds until then, one for each strike that healed.
        within: seconds that are aimed at.
        left_out: why it did not strike in this run.
    """

    kind: str
    strikes: int
    hits: int
    in_flight: int
    measure: str
    healed: list[float]
    p50: float | None
    p99: float | None
    within: float
    left_out: str = ""


class StrikeFigures(msgspec.Struct, frozen=True):
    """One strike; times in seconds since the run began."""

    kind: str
    target: str
    begun: float
    over: float
    in_flight: int
    healed: dict[str, float]


class Second(msgspec.Struct, frozen=True):
    """One second of the run."""

    at: int
    sends: int
    p50_ms: float
    p99_ms: float
    connected: int


class Figures(msgspec.Struct, frozen=True):
    """A run.

    Attributes:
        verdict: `passed`, `violated`, or `invalid`: it says nothing, because `doubts`.
        at_risk: accepted sends that were destroyed before they were durable, and sent again.
    """

    version: int
    verdict: str
    doubts: list[str]
    seed: int
    seconds: float
    scale: dict[str, Any]
    sends: int
    deliveries: int
    at_risk: int
    operations: list[OperationFigures]
    faults: list[FaultFigures]
    extra: list[FaultFigures]
    strikes: list[StrikeFigures]
    timeline: list[Second]
    violations: dict[str, int]
    violations_in_words: list[str]


def figures(
    scale: Scale, kinds: Sequence[str], evidence: Evidence, violations: list[Violation]
) -> Figures:
    """All figures of a run."""
    doubts = list(_doubts(kinds, evidence))
    verdict = "violated" if violations else "invalid" if doubts else "passed"
    accepted = {op.key for op in evidence.history.operations if op.kind == "send" and op.seq}
    return Figures(
        version=VERSION,
        verdict=verdict,
        doubts=doubts,
        seed=scale.seed,
        seconds=round(evidence.ended - evidence.begun, 1),
        scale=_scale(scale),
        sends=len(accepted),
        deliveries=sum(told.source != "history" for told in evidence.history.deliveries),
        at_risk=_at_risk(evidence),
        operations=_operations(evidence),
        faults=[_fault(kind, evidence.strikes) for kind in kinds],
        extra=list(_extra(evidence.strikes)),
        strikes=[_strike(strike, evidence.begun) for strike in evidence.strikes],
        timeline=_timeline(evidence),
        violations=dict(Counter(violation.kind for violation in violations)),
        violations_in_words=list(in_words(violations)),
    )


def quantile(values: Iterable[float], part: float) -> float | None:
    """The value below which a part of all values lie; None without values."""
    ordered = sorted(values)
    if not ordered:
        return None
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def _doubts(kinds: Sequence[str], evidence: Evidence) -> Iterable[str]:
    """The reasons for which a run proves nothing."""
    sends = [op for op in evidence.history.operations if op.kind == "send"]
    if 2 * sum(op.outcome == "ok" for op in sends) < len(sends):
        yield "fewer than half the sends were ok"
    if 2 * len({strike.kind for strike in evidence.strikes}) < len(kinds):
        yield "there was no time for half the kinds of faults"
    for kind in kinds:
        struck = [s for s in evidence.strikes if s.kind == kind and not s.left_out]
        if struck and not any(strike.hit for strike in struck):
            yield f"a kind of fault hit nothing in flight: {kind}"


def _scale(scale: Scale) -> dict[str, Any]:
    names = ("gateways", "persisters", "rooms", "chats", "clients")
    return {name: getattr(scale, name) for name in names}


def _at_risk(evidence: Evidence) -> int:
    stored = {(row.place, row.seq) for row in evidence.rows}
    ok = {(op.place, op.seq) for op in evidence.history.operations if op.kind == "send" and op.seq}
    return len(ok - stored)


def _operations(evidence: Evidence) -> list[OperationFigures]:
    found = []
    operations = evidence.history.operations
    for kind in sorted({op.kind for op in operations}, key=lambda kind: (kind != "send", kind)):
        these = [op for op in operations if op.kind == kind]
        count = Counter(op.outcome for op in these)
        took = [1000 * (op.ended - op.invoked) for op in these if op.outcome == "ok"]
        p50, p99 = (round(quantile(took, part) or 0.0, 1) for part in (0.5, 0.99))
        found.append(
            OperationFigures(
                kind, len(these), count["ok"], count["failed"], count["unknown"], p50, p99
            )
        )
    return found


def _fault(kind: str, strikes: list[Strike]) -> FaultFigures:
    fault = FAULTS[kind]
    these = [strike for strike in strikes if strike.kind == kind]
    struck = [strike for strike in these if not strike.left_out]
    healed = [strike.healed[fault.measure] for strike in struck if fault.measure in strike.healed]
    return FaultFigures(
        kind=kind,
        strikes=len(struck),
        hits=sum(strike.hit > 0 for strike in struck),
        in_flight=sum(strike.hit for strike in struck),
        measure=fault.measure,
        healed=[round(took, 3) for took in healed],
        p50=quantile(healed, 0.5),
        p99=quantile(healed, 0.99),
        within=fault.within,
        left_out=next((s.left_out for s in these), "there was no time for it"),
    )


EXTRA: Final = {
    "offline": ("a dead gateway's users offline", 15.0),
    "dropped": ("a client that never reads dropped", 15.0),
}


def _extra(strikes: list[Strike]) -> Iterable[FaultFigures]:
    for measure, (name, within) in EXTRA.items():
        healed = [strike.healed[measure] for strike in strikes if measure in strike.healed]
        if healed:
            p50, p99 = quantile(healed, 0.5), quantile(healed, 0.99)
            yield FaultFigures(
                *(name, len(healed), 0, 0, measure, [round(t, 3) for t in healed]),
                *(p50, p99, within),
            )


def _strike(strike: Strike, begun: float) -> StrikeFigures:
    return StrikeFigures(
        kind=strike.kind,
        target=strike.left_out or strike.target,
        begun=round(strike.begun - begun, 3) if strike.begun else 0.0,
        over=round(strike.over - begun, 3) if strike.over else 0.0,
        in_flight=strike.hit,
        healed={measure: round(took, 3) for measure, took in strike.healed.items()},
    )


def _timeline(evidence: Evidence) -> list[Second]:
    length = int(evidence.ended - evidence.begun) + 1
    took: list[list[float]] = [[] for _ in range(length)]
    for op in evidence.history.operations:
        second = int(op.ended - evidence.begun)
        if op.kind == "send" and op.outcome == "ok" and 0 <= second < length:
            took[second].append(1000 * (op.ended - op.invoked))
    found = []
    changes = sorted(evidence.history.connected)
    connected, next_change = 0, 0
    for second in range(length):
        while next_change < len(changes) and changes[next_change][0] <= evidence.begun + second + 1:
            connected = changes[next_change][1]
            next_change += 1
        p50, p99 = (round(quantile(took[second], part) or 0.0, 1) for part in (0.5, 0.99))
        found.append(Second(second, len(took[second]), p50, p99, connected))
    return found
