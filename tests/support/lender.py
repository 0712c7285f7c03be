"""One cluster for several tests that damage it: `async with Lender() as lender: ...`."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Self

from tests.support.cluster import Cluster
from tests.support.wholeness import until_whole


class Lender:
    """Lends a cluster to one test after the other, started for the first of them.

    Args:
        gateways: Number of gateways.
        env: Settings on top, by the name of their variable.
    """

    def __init__(self, *, gateways: int = 2, **env: str) -> None:
        self._gateways = gateways
        # What an earlier test killed is no reason to wait before it is started again.
        self._env = {"WELL_AFTER": "0.1", **env}
        self._stack = AsyncExitStack()
        self._cluster: Cluster | None = None

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[Cluster]:
        """Lend the cluster to one test, after it is whole again.

        A test may kill, pause and empty what it likes, as long as all is well again after it: else
        it fails, and the next one is lent another cluster.
        """
        if self._cluster is None:
            cluster = Cluster(gateways=self._gateways, env=self._env)
            self._cluster = await self._stack.enter_async_context(cluster)
        try:
            yield self._cluster
            await until_whole(self._cluster)
        except BaseException:
            await self._end()
            raise

    async def _end(self) -> None:
        self._cluster = None
        await self._stack.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._end()
