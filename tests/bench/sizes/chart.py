"""Lines over a logarithmic axis (SVG 1.1), in the style of the other pictures."""

from collections.abc import Sequence
from html import escape
from math import floor, log10

from tests.bench.pictures import page
from tests.bench.report import Report, Spread
from tests.bench.sizes.series import Picture
from tests.bench.table import number

WIDTH, HEIGHT = 760, 330
LEFT, RIGHT, TOP, BOTTOM = 60, 560, 50, 280
GRID = 4
Points = Sequence[tuple[int, Spread]]


def chart(report: Report, picture: Picture) -> str:
    """A picture of medians, with a thin line from the lowest to the highest at each."""
    lines = [
        (line.title, points)
        for line in picture.lines
        if (points := _points(report, line.series, line.figure))
    ]
    sizes = sorted({size for _, points in lines for size, _ in points})
    most = max(spread.high for _, points in lines for _, spread in points)
    scale = Scale(sizes, most)
    parts = [
        f'<text class="title" x="10" y="24">{escape(f"{picture.title}: {picture.unit}")}</text>',
        *_axes(scale, sizes, picture.axis),
    ]
    for number_, (title, points) in enumerate(lines):
        parts += _line(scale, f"c{number_}", title, points)
    return page(WIDTH, HEIGHT, [*parts, *_legend([title for title, _ in lines])])


class Scale:
    """The coordinates of a size (logarithmic) and a value (from zero)."""

    def __init__(self, sizes: Sequence[int], most: float) -> None:
        self._first = log10(sizes[0])
        self._decades = (log10(sizes[-1]) - self._first) or 1
        self.most = rounded(most)

    def x(self, size: int) -> float:
        """From the left."""
        return LEFT + (RIGHT - LEFT) * (log10(size) - self._first) / self._decades

    def y(self, value: float) -> float:
        """From the top."""
        return BOTTOM - (BOTTOM - TOP) * value / self.most


def rounded(most: float) -> float:
    """The next 1, 2, 4 or 8 times a power of ten: its quarters are short numbers."""
    power = 10.0 ** floor(log10(most)) if most > 0 else 1.0
    return next(power * times for times in (1, 2, 4, 8, 10) if power * times >= most)


def _points(report: Report, series: str, figure: str) -> Points:
    sizes = sorted({int(run.system) for run in report.runs_of(series)})
    spreads = [(size, report.spread(str(size), series, figure)) for size in sizes]
    return [(size, spread) for size, spread in spreads if spread]


def _axes(scale: Scale, sizes: Sequence[int], axis: str) -> list[str]:
    parts = []
    for step in range(GRID + 1):
        value = scale.most * step / GRID
        y = scale.y(value)
        parts.append(f'<path class="axis" d="M{LEFT} {y:.1f}H{RIGHT}"/>')
        parts.append(
            f'<text class="small" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
            f"{number(value)}</text>"
        )
    parts += [
        f'<text class="small" x="{scale.x(size):.1f}" y="{BOTTOM + 18}" text-anchor="middle">'
        f"{size:,}</text>"
        for size in sizes
    ]
    middle = (LEFT + RIGHT) // 2
    parts.append(f'<text x="{middle}" y="{BOTTOM + 40}" text-anchor="middle">{escape(axis)}</text>')
    return parts


def _line(scale: Scale, colour: str, title: str, points: Points) -> list[str]:
    path = " ".join(f"{scale.x(size):.1f},{scale.y(spread.mid):.1f}" for size, spread in points)
    parts = [
        f'<polyline class="{colour}" points="{path}"><title>{escape(title)}</title></polyline>'
    ]
    for size, spread in points:
        x, low, high = scale.x(size), scale.y(spread.low), scale.y(spread.high)
        parts.append(
            f'<circle class="{colour}" cx="{x:.1f}" cy="{scale.y(spread.mid):.1f}" r="3"/>'
        )
        parts.append(f'<path class="{colour}" d="M{x:.1f} {low:.1f}V{high:.1f}"/>')
    return parts


def _legend(titles: Sequence[str]) -> list[str]:
    parts = []
    for at, title in enumerate(titles):
        y = TOP + 10 + 22 * at
        parts.append(f'<rect class="c{at}" x="{RIGHT + 20}" y="{y}" width="12" height="12"/>')
        parts.append(f'<text x="{RIGHT + 38}" y="{y + 11}">{escape(title)}</text>')
    return parts
