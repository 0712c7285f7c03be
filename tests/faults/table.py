"""A run as a table for a terminal."""

from collections.abc import Iterator, Sequence

from tests.faults.figures import FaultFigures, Figures

MEASURES = {
    "back": "all clients back",
    "accepted": "sends ok",
    "delivered": "everybody has all",
    "durable": "all in SQL",
    "offline": "gone for everybody",
    "dropped": "disconnected",
}


def table(found: Figures) -> str:
    """Operations, faults, healing times, violations, verdict."""
    return "\n".join(_lines(found))


def _lines(found: Figures) -> Iterator[str]:
    about = ", ".join(f"{count} {name}" for name, count in found.scale.items())
    yield f"seed {found.seed}, {found.seconds:.0f} s: {about}"
    yield ""
    head = ("operation", "invoked", "ok", "failed", "unknown", "p50 ms", "p99 ms")
    rows = [
        (op.kind, op.invoked, op.ok, op.failed, op.unknown, op.p50_ms, op.p99_ms)
        for op in found.operations
    ]
    yield from _columns(head, rows)
    yield ""
    about_faults = ("fault", "struck", "hit", "in flight", "healed when", "p50 s", "p99 s", "aim s")
    yield from _columns(
        about_faults, [_fault_row(fault) for fault in (*found.faults, *found.extra)]
    )
    yield ""
    yield (
        f"{found.sends} messages accepted, {found.deliveries} deliveries, {len(found.strikes)}"
        f" faults; {found.at_risk} accepted and destroyed before they were durable, sent again"
    )
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(found.violations.items()))
    yield f"violations: {told or 'none'}"
    yield from (f"  {line}" for line in found.violations_in_words)
    yield from (f"doubt: {doubt}" for doubt in found.doubts)
    yield f"verdict: {found.verdict}"


def _fault_row(fault: FaultFigures) -> tuple[object, ...]:
    if fault.left_out:
        return (fault.kind, "left out", "", "", fault.left_out, "", "", "")
    hit = f"{fault.hits}" if fault.in_flight else ""
    return (
        *(fault.kind, fault.strikes, hit, fault.in_flight or "", MEASURES[fault.measure]),
        *(_seconds(fault.p50), _seconds(fault.p99), f"{fault.within:g}"),
    )


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _columns(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    texts = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        cells = (
            cell.ljust(width) if n == 0 or not _is_figure(head[n]) else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def _is_figure(name: str) -> bool:
    return name not in {"operation", "fault", "healed when"}
