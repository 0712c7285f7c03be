"""A cluster whose gateways record calls; see `tests/structure/tracer/sitecustomize.py`."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from tests.structure.paths import Trace
from tests.structure.sources import PACKAGES
from tests.support.cluster import Cluster
from tests.support.waiting import eventually

TRACER = Path(__file__).parent / "tracer"


class TracedCluster:
    """The running cluster of a checkout.

    Attributes:
        root: of the checkout.
    """

    def __init__(self, root: Path, cluster: Cluster, folder: Path) -> None:
        self.root = root
        self._cluster = cluster
        self._folder = folder

    def url(self, gateway: int) -> str:
        """A gateway, counted from 1, as the start of a URL."""
        return self._cluster.gateway_url(gateway)

    @asynccontextmanager
    async def trace(self, *gateways: int) -> AsyncIterator[list[Trace]]:
        """Trace gateways while the block runs; after it the list has the trace of each."""
        marks = [self._folder / str(self._cluster.pid(f"gateway-{number}")) for number in gateways]
        for number, mark in zip(gateways, marks, strict=True):
            self._cluster.kill(f"gateway-{number}", signal.SIGUSR1)
            await _exists(mark.with_suffix(".begun"))
        traces: list[Trace] = []
        yield traces
        for number, mark in zip(gateways, marks, strict=True):
            self._cluster.kill(f"gateway-{number}", signal.SIGUSR2)
            file = await _exists(mark.with_suffix(".json"))
            traces.append(msgspec.json.decode(file.read_bytes(), type=Trace))


@asynccontextmanager
async def traced_cluster(
    root: Path, gateways: int, env: Mapping[str, str]
) -> AsyncIterator[TracedCluster]:
    """Start a cluster of a checkout, to be traced.

    Args:
        root: of the checkout, resolved.
        gateways: how many.
        env: settings.
    """
    with tempfile.TemporaryDirectory(prefix="parley-trace-") as folder:
        tracer = {
            "PYTHONPATH": os.pathsep.join(
                filter(None, [str(TRACER), os.environ.get("PYTHONPATH")])
            ),
            "STRUCTURE_TRACE": folder,
            "STRUCTURE_PACKAGES": ",".join(PACKAGES),
        }
        async with Cluster(gateways=gateways, env={**env, **tracer}, root=root) as cluster:
            yield TracedCluster(root, cluster, Path(folder))


async def _exists(file: Path) -> Path:
    await eventually(lambda: asyncio.to_thread(file.exists))
    return file
