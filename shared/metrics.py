"""Counters, histograms and gauges of a process, and their text for Prometheus.

A count is a plain number that is increased where things happen, and is turned into Prometheus's
format on request. So it costs one addition on the path of a delivery, where the counters of the
library take a lock. Metrics are global to the process, as log lines are.
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
"""Bounds of histogram buckets in seconds, for work that should take milliseconds."""

SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 10_000)
"""Bounds of histogram buckets for the number of things that share a call."""

CHECK_INTERVAL_SECONDS: Final = 0.5

Reading = float | Mapping[str, float]
"""A number, or one for each value of a label."""


class _Family(Protocol):
    def family(self) -> Metric: ...


_families: dict[str, _Family] = {}


class Counter:
    """A counter of events.

    Attributes:
        value: the count; callers increase it directly.
    """

    __slots__ = ("_name", "_text", "value")

    def __init__(self, name: str, text: str) -> None:
        """Register the counter as `parley_<name>_total`."""
        self._name, self._text = f"parley_{name}", text
        self.value = 0
        _families[name] = self

    def family(self) -> Metric:
        """As Prometheus's library has it."""
        return CounterMetricFamily(self._name, self._text, value=self.value)


class LabelledCounter:
    """A counter with one label, whose values are few and set by the code."""

    def __init__(self, name: str, text: str, label: str) -> None:
        """Register the counter as `parley_<name>_total`."""
        self._name, self._text, self._label = f"parley_{name}", text, label
        self._values: defaultdict[str, int] = defaultdict(int)
        _families[name] = self

    def add(self, kind: str) -> None:
        """Increase the count of `kind` by one."""
        self._values[kind] += 1

    def family(self) -> Metric:
        """As Prometheus's library has it."""
        family = CounterMetricFamily(self._name, self._text, labels=[self._label])
        for kind, value in list(self._values.items()):
            family.add_metric([kind], value)
        return family


class Histogram:
    """A histogram of observed values."""

    def __init__(self, name: str, text: str, bounds: tuple[float, ...]) -> None:
        """Register it under `parley_<name>`."""
        self._name, self._text = f"parley_{name}", text
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0
        _families[name] = self

    def observe(self, value: float) -> None:
        """Add a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def family(self) -> Metric:
        """As Prometheus's library has it."""
        names = (*(str(bound) for bound in self._bounds), "+Inf")
        buckets = list(zip(names, accumulate(self._counts), strict=True))
        return HistogramMetricFamily(self._name, self._text, buckets=buckets, sum_value=self._sum)


class Gauge:
    """A gauge whose value is read on request."""

    def __init__(
        self, name: str, text: str, read: Callable[[], Reading], label: str | None = None
    ) -> None:
        """Register the gauge as `parley_<name>`, in place of one of the same name.

        Args:
            name: the name, unique in the process.
            text: the help text for Prometheus.
            read: returns a number, or a number for each value of the label.
            label: the label's name; None for a gauge without a label.
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
    """The collector of all metrics, for the library."""

    def collect(self) -> Iterable[Metric]:
        return [family.family() for family in list(_families.values())]


_registry = CollectorRegistry()
_registry.register(_Counts())
for _kind in (ProcessCollector, PlatformCollector, GCCollector):
    _kind(registry=_registry)


def exposition() -> bytes:
    """All metrics of this process in Prometheus's text format."""
    return generate_latest(_registry)


class LoopLag:
    """Measures the lag of the event loop, which delays every answer to every client."""

    def __init__(self) -> None:
        self._histogram = Histogram("event_loop_lag_seconds", "How late a timer was.", LATENCIES)
        self._loop = asyncio.get_running_loop()
        self._timer = self._schedule()

    def close(self) -> None:
        """Stop measuring."""
        self._timer.cancel()

    def _schedule(self) -> asyncio.TimerHandle:
        due = self._loop.time() + CHECK_INTERVAL_SECONDS
        return self._loop.call_at(due, self._measure, due)

    def _measure(self, due: float) -> None:
        self._histogram.observe(max(0.0, self._loop.time() - due))
        self._timer = self._schedule()
