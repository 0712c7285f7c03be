"""The result as pictures (SVG 1.1), readable on light and on dark pages."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from tests.bench.bars import OURS
from tests.bench.plan import BY_NAME
from tests.bench.report import Report, Spread
from tests.bench.table import number

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 15px } .small { font-size: 12px; fill: #59636e }
.ours { fill: #0969da; stroke: #0969da } .peer { fill: #9aa4af; stroke: #9aa4af }
.range { stroke: #1f2328 } .axis { stroke: #d1d9e0 } polyline { fill: none; stroke-width: 2 }
.c0 { fill: #0969da; stroke: #0969da } .c1 { fill: #bc4c00; stroke: #bc4c00 }
.c2 { fill: #1a7f37; stroke: #1a7f37 } .c3 { fill: #8250df; stroke: #8250df }
.c4 { fill: #bf3989; stroke: #bf3989 } polyline.c0, polyline.c1, polyline.c2, polyline.c3,
polyline.c4 { fill: none }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .small { fill: #9198a1 } .peer { fill: #656c76; stroke: #656c76 }
.range { stroke: #f0f6fc } .axis { stroke: #3d444d } .ours { fill: #4493f8; stroke: #4493f8 }
}
"""
WIDTH = 760
LABELS, BARS = 150, 470
ROW, HEAD = 24, 34


class Panel(NamedTuple):
    """Bars with a scale of their own."""

    title: str
    bars: list[tuple[str, Spread]]


PRICES = (
    ("rooms50x16", "cpu_us", "CPU microseconds a delivery"),
    ("rooms50x4", "cpu_us", "CPU microseconds a delivery"),
    ("direct", "cpu_us", "CPU microseconds a delivery"),
)
OTHERS = (
    ("rate10k", "cpu_us", "CPU microseconds a delivery"),
    ("rate10k", "p99_ms", "p99 in milliseconds"),
    ("room1000", "last_p99_ms", "p99 to the last member in milliseconds"),
    ("idle", "idle_kib", "KiB a connection"),
    ("idle", "intake_cpu_us", "CPU microseconds to take one in"),
    ("connect", "cpu_us", "CPU microseconds a client"),
    ("mixed", "cpu_us", "CPU microseconds a delivery"),
)


def draw(report: Report, folder: Path) -> None:
    """Write `bench.svg`, which is for the README, and `bench-more.svg`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, wanted in (("bench.svg", PRICES), ("bench-more.svg", OTHERS)):
        if panels := [panel for one in wanted if (panel := _panel(report, *one)).bars]:
            (folder / name).write_text(bars(panels))


def _panel(report: Report, scenario: str, figure: str, unit: str) -> Panel:
    spreads = [(name, report.spread(name, scenario, figure)) for name in report.systems(scenario)]
    known = [(name, spread) for name, spread in spreads if spread]
    return Panel(f"{BY_NAME[scenario].title}: {unit}", known)


def bars(panels: Sequence[Panel]) -> str:
    """Panels below each other; a bar is the median, the line on it goes from least to most."""
    parts: list[str] = []
    top = 10
    for panel in panels:
        parts.append(f'<text class="title" x="10" y="{top + 18}">{escape(panel.title)}</text>')
        top += HEAD
        scale = BARS / max(spread.high for _, spread in panel.bars)
        for name, spread in panel.bars:
            parts += _bar(name, spread, scale, top)
            top += ROW
        top += 10
    note = "median of all runs, the thin line from the lowest to the highest; less is better"
    parts.append(f'<text class="small" x="10" y="{top + 12}">{note}</text>')
    return page(WIDTH, top + 24, parts)


def page(width: int, height: int, parts: Sequence[str]) -> str:
    """A whole picture."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">'
    )
    return "\n".join([head, f"<style>{STYLE}</style>", *parts, "</svg>", ""])


def _bar(name: str, spread: Spread, scale: float, top: int) -> list[str]:
    kind = "ours" if name in OURS else "peer"
    middle = top + ROW // 2
    low, mid, high = (LABELS + value * scale for value in spread)
    return [
        f'<text x="{LABELS - 8}" y="{middle + 4}" text-anchor="end">{escape(name)}</text>',
        f'<rect class="{kind}" x="{LABELS}" y="{top + 4}" width="{mid - LABELS:.1f}" height="16"/>',
        f'<path class="range" d="M{low:.1f} {middle}H{high:.1f}"/>',
        f'<text x="{max(mid, high) + 8:.1f}" y="{middle + 4}">{number(spread.mid)}</text>',
    ]
