"""The timeline of a run as an SVG picture: faults against throughput and latency."""

from collections.abc import Iterator
from html import escape
from math import log10
from typing import Final

from tests.faults.figures import Figures, StrikeFigures

WIDTH: Final = 1200
LEFT: Final = 56
RIGHT: Final = 16
TOP: Final = 72
PLOT: Final = 130
GAP: Final = 34
AXIS: Final = TOP + 2 * PLOT + GAP + 18
COLUMNS: Final = 4
"""Of the list of faults below."""

LINE: Final = 14
LOWEST_MS, HIGHEST_MS = 1.0, 10_000.0
HEALED: Final = ("back", "accepted", "delivered", "durable")

STYLE: Final = """
text { font: 11px system-ui, sans-serif; fill: #444 }
.name { font-size: 10px } .title { font-size: 13px; font-weight: 600; fill: #222 }
.grid { stroke: #ddd } .fault { fill: #d9480f; opacity: .28 } .strike { stroke: #d9480f }
.healing { fill: #f08c00; opacity: .16 }
.sends { fill: #1971c2; opacity: .75 } .p50 { stroke: #2f9e44; fill: none; stroke-width: 1.5 }
.p99 { stroke: #9c36b5; fill: none; stroke-width: 1.5 } .paper { fill: #fff }
@media (prefers-color-scheme: dark) {
  text { fill: #bbb } .title { fill: #eee } .grid { stroke: #333 } .paper { fill: #161616 }
  .sends { fill: #4dabf7 } .p50 { stroke: #69db7c } .p99 { stroke: #da77f2 }
}
"""


class Picture:
    """Draws one run."""

    def __init__(self, found: Figures) -> None:
        self._found = found
        self._seconds = max(1, len(found.timeline))

    def svg(self) -> str:
        """The picture, a document of its own."""
        lines = -(-len(self._found.strikes) // COLUMNS)
        height = AXIS + 14 + LINE * lines
        about = f'viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(self._title)}"'
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {about}><style>{STYLE}</style>',
            f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
            f'<text class="title" x="{LEFT}" y="20">{escape(self._title)}</text>',
            *self._strikes(),
            *self._throughput(TOP),
            *self._latency(TOP + PLOT + GAP),
            *self._time_axis(),
            *self._names(lines),
            "</svg>",
        ]
        return "\n".join(parts) + "\n"

    @property
    def _title(self) -> str:
        found = self._found
        bad = sum(found.violations.values())
        return (
            f"{len(found.strikes)} faults in {found.seconds:.0f} s: {found.sends:,} messages"
            f" accepted, {found.deliveries:,} delivered, {bad} promises broken (seed {found.seed})"
        )

    def _x(self, second: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * second / self._seconds, 1)

    def _strikes(self) -> Iterator[str]:
        bottom = TOP + 2 * PLOT + GAP
        right = [0.0, 0.0]
        for number, strike in enumerate(self._found.strikes, 1):
            if not strike.begun:
                continue
            x, over = self._x(strike.begun), self._x(strike.over)
            took = max((strike.healed.get(measure, 0.0) for measure in HEALED), default=0.0)
            healed = self._x(strike.over + took)
            yield _rect("fault", x, TOP, max(over - x, 1.5), bottom - TOP)
            yield _rect("healing", over, TOP, max(healed - over, 0.0), bottom - TOP)
            row = 0 if right[0] <= x else 1
            right[row] = x + 16
            y = 48 - 13 * row
            yield f'<path class="strike" d="M{x} {y - 8}V52"/>'
            yield (
                f'<text class="name" x="{x + 2}" y="{y}">{number}'
                f"<title>{escape(_about(strike))}</title></text>"
            )

    def _names(self, lines: int) -> Iterator[str]:
        width = (WIDTH - LEFT) / COLUMNS
        for n, strike in enumerate(self._found.strikes):
            x, y = LEFT + width * (n // lines), AXIS + 20 + LINE * (n % lines)
            name = f"{n + 1} {strike.kind}{' (left out)' if not strike.begun else ''}"
            yield f'<text class="name" x="{round(x)}" y="{y}">{escape(name)}</text>'

    def _throughput(self, top: int) -> Iterator[str]:
        most = max([second.sends for second in self._found.timeline] + [1])
        high = _round_up(most)
        yield f'<text x="{LEFT}" y="{top - 4}">messages accepted a second</text>'
        for part in (0, 0.5, 1):
            y = top + PLOT * (1 - part)
            yield from _grid(y, f"{high * part:g}")
        width = round((WIDTH - LEFT - RIGHT) / self._seconds, 2)
        for second in self._found.timeline:
            height = round(PLOT * second.sends / high, 1)
            yield _rect("sends", self._x(second.at), top + PLOT - height, width * 0.9, height)

    def _latency(self, top: int) -> Iterator[str]:
        yield (
            f'<text x="{LEFT}" y="{top - 4}">from a send to its reply: median (green), 99th'
            " percentile (violet)</text>"
        )
        for label, value in (("1 ms", 1.0), ("10 ms", 10.0), ("100 ms", 100.0), ("1 s", 1000.0)):
            yield from _grid(_log_y(value, top), label)
        yield from _grid(_log_y(HIGHEST_MS, top), "10 s")
        for name in ("p50", "p99"):
            yield f'<path class="{name}" d="{self._line(name, top)}"/>'

    def _line(self, name: str, top: int) -> str:
        words, pen = [], "M"
        for second in self._found.timeline:
            value = second.p50_ms if name == "p50" else second.p99_ms
            if not second.sends:
                pen = "M"
                continue
            words.append(f"{pen}{self._x(second.at + 0.5)} {_log_y(value, top)}")
            pen = "L"
        return "".join(words)

    def _time_axis(self) -> Iterator[str]:
        step = next(
            step for step in (5, 10, 20, 30, 60, 300, 600, 3600) if self._seconds / step < 16
        )
        for second in range(0, self._seconds, step):
            yield f'<text x="{self._x(second)}" y="{AXIS}">{second} s</text>'


def _about(strike: StrikeFigures) -> str:
    healed = ", ".join(f"{measure} after {took:.2f} s" for measure, took in strike.healed.items())
    return f"{strike.kind} ({strike.target}) at {strike.begun:.1f} s: {healed or 'not healed'}"


def _grid(y: float, label: str) -> Iterator[str]:
    yield f'<path class="grid" d="M{LEFT} {round(y, 1)}H{WIDTH - RIGHT}"/>'
    yield f'<text x="{LEFT - 6}" y="{round(y + 4, 1)}" text-anchor="end">{label}</text>'


def _rect(kind: str, x: float, y: float, width: float, height: float) -> str:
    place = f'x="{round(x, 1)}" y="{round(y, 1)}"'
    return f'<rect class="{kind}" {place} width="{round(width, 1)}" height="{round(height, 1)}"/>'


def _log_y(value: float, top: int) -> float:
    inside = min(max(value, LOWEST_MS), HIGHEST_MS)
    part = log10(inside / LOWEST_MS) / log10(HIGHEST_MS / LOWEST_MS)
    return round(top + PLOT * (1 - part), 1)


def _round_up(value: int) -> int:
    step = int(10 ** (len(str(value)) - 1))
    return -(-value // step) * step
