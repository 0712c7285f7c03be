"""What a process counts, and how Prometheus reads it.

A count is a plain number that is raised where things happen, and turned into Prometheus's format
when somebody asks: on the path of a delivery an addition is all it costs, where the library's own
counters take a lock. They belong to the process, as log lines do.
"""

import asyncio
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4

LATENCIES: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Bounds in seconds, for what should take milliseconds."""

SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 10_000)
"""Bounds for how many things share one call."""

CHECK_INTERVAL_SECONDS: Final = 0.5

Reading = float | Mapping[str, float]
"""A number, or one for each value of a label."""


class _Family(Protocol):
    def family(self) -> Metric: ...


_families: dict[str, _Family] = {}


class Counter:
    """How often something happened.

    Attributes:
        value: raised by whoever sees it happen.
    """

    __slots__ = ("_name", "_text", "value")

    def __init__(self, name: str, text: str) -> None:
        """Register it under `parley_<name>_total`."""
        self._name, self._text = f"parley_{name}", text
        self.value = 0
        _families[name] = self

    def family(self) -> Metric:
        """As Prometheus's library has it."""
        return CounterMetricFamily(self._name, self._text, value=self.value)


class LabelledCounter:
    """How often each kind of a thing happened; the kinds are few, and ours."""

    def __init__(self, name: str, text: str, label: str) -> None:
        """Register it under `parley_<name>_total`."""
        self._name, self._text, self._label = f"parley_{name}", text, label
        self._values: defaultdict[str, int] = defaultdict(int)
        _families[name] = self

    def add(self, kind: str) -> None:
        """One more."""
        self._values[kind] += 1

    def family(self) -> Metric:
        """As Prometheus's library has it."""
        family = CounterMetricFamily(self._name, self._text, labels=[self._label])
        for kind, value in list(self._values.items()):
            family.add_metric([kind], value)
        return family


class Histogram:
    """How large something was each time."""

    def __init__(self, name: str, text: str, bounds: tuple[float, ...]) -> None:
        """Register it under `parley_<name>`."""
        self._name, self._text = f"parley_{name}", text
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0
        _families[name] = self

    def observe(self, value: float) -> None:
        """Take one into account."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def family(self) -> Metric:
        """As Prometheus's library has it."""
        names = (*(str(bound) for bound in self._bounds), "+Inf")
        buckets = list(zip(names, accumulate(self._counts), strict=True))
        return HistogramMetricFamily(self._name, self._text, buckets=buckets, sum_value=self._sum)


class Gauge:
    """How much there is of something, found out when somebody asks."""

    def __init__(
        self, name: str, text: str, read: Callable[[], Reading], label: str | None = None
    ) -> None:
        """Register it under `parley_<name>`, in place of one of the same name.

        Args:
            name: unique in the process.
            text: what it says.
            read: answers with a number, or with one for each value of the label.
            label: its name, if there is one.
        """
        self._name, self._text = f"parley_{name}", text
        self._read, self._label = read, label
        _families[name] = self

    def family(self) -> Metric:
        """As Prometheus's library has it."""
        reading = self._read()
        if not isinstance(reading, Mapping):
            return GaugeMetricFamily(self._name, self._text, value=reading)
        family = GaugeMetricFamily(self._name, self._text, labels=[self._label or "name"])
        for kind, value in reading.items():
            family.add_metric([kind], value)
        return family


class _Counts:
    """What the library collects from."""

    def collect(self) -> Iterable[Metric]:
        return [family.family() for family in list(_families.values())]


_registry = CollectorRegistry()
_registry.register(_Counts())
for _kind in (ProcessCollector, PlatformCollector, GCCollector):
    _kind(registry=_registry)


def exposition() -> bytes:
    """Everything this process counts, in Prometheus's text format."""
    return generate_latest(_registry)


class LoopLag:
    """Measures how late the event loop is: what every client waits for, whatever it asks."""

    def __init__(self) -> None:
        self._histogram = Histogram("event_loop_lag_seconds", "How late a timer was.", LATENCIES)
        self._loop = asyncio.get_running_loop()
        self._timer = self._schedule()

    def close(self) -> None:
        """Measure no more."""
        self._timer.cancel()

    def _schedule(self) -> asyncio.TimerHandle:
        due = self._loop.time() + CHECK_INTERVAL_SECONDS
        return self._loop.call_at(due, self._measure, due)

    def _measure(self, due: float) -> None:
        self._histogram.observe(max(0.0, self._loop.time() - due))
        self._timer = self._schedule()
