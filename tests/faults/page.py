"""A run as one HTML page: the picture, and the same figures as in the table."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from tests.faults.figures import FaultFigures, Figures
from tests.faults.picture import Picture
from tests.faults.table import MEASURES

STYLE: Final = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1240px; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 }
td, th { padding: .2rem .8rem; text-align: right }
td:first-child, th:first-child, .word { text-align: left } tr { border-bottom: 1px solid #8884 }
.passed { color: #2f9e44 } .violated, .late { color: #e03131 } .invalid { color: #f08c00 }
svg { width: 100%; height: auto }
"""


def page(found: Figures) -> str:
    """The page, which needs no other files."""
    about = ", ".join(f"{count} {name}" for name, count in found.scale.items())
    told = "".join(f"<li>{escape(line)}</li>" for line in found.violations_in_words + found.doubts)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>make chaos: {found.verdict}</title>
<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>
<h1>make chaos: <span class="{found.verdict}">{found.verdict}</span></h1>
<p>Seed {found.seed}, {found.seconds:.0f} s, {escape(about)}. {found.sends:,} messages accepted,
{found.deliveries:,} deliveries, {len(found.strikes)} faults. {found.at_risk} messages were accepted
and destroyed before they were durable; their clients sent them again.</p>
{Picture(found).svg()}
<p>Dark bands: a fault while its cause lasts; light bands: until everything was well again.</p>
<ul>{told}</ul>
<h2>Faults</h2>{_faults([*found.faults, *found.extra])}
<h2>Operations</h2>{_operations(found)}
</body></html>
"""


def _faults(faults: Iterable[FaultFigures]) -> str:
    head = ("fault", "struck", "hit", "in flight", "healed when", "p50 s", "p99 s", "aim s")
    rows: list[tuple[object, ...]] = []
    for fault in faults:
        if fault.left_out:
            rows.append((fault.kind, "left out", "", "", fault.left_out, "", "", ""))
            continue
        late = fault.p99 is not None and fault.p99 > fault.within
        p99 = "-" if fault.p99 is None else f"{fault.p99:.2f}{' (late)' if late else ''}"
        p50 = "-" if fault.p50 is None else f"{fault.p50:.2f}"
        rows.append(
            (
                *(fault.kind, fault.strikes, fault.hits, fault.in_flight),
                *(MEASURES[fault.measure], p50, p99, f"{fault.within:g}"),
            )
        )
    return _table(head, rows)


def _operations(found: Figures) -> str:
    head = ("operation", "invoked", "ok", "failed", "unknown", "p50 ms", "p99 ms")
    rows = [
        (op.kind, op.invoked, op.ok, op.failed, op.unknown, op.p50_ms, op.p99_ms)
        for op in found.operations
    ]
    return _table(head, rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    first = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = (
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{first}</tr>{''.join(lines)}</table>"
