"""The connections of a gateway to the broker and to SQL."""

from contextlib import AsyncExitStack
from typing import NamedTuple, Self

from shared.broker.partitions.fence import Fence
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.transport.client import Client, connect
from shared.broker.transport.pipe import Pipe
from shared.config import Settings
from shared.storage.engine import open_engine
from shared.storage.installation import Installation
from shared.storage.reader import Reader


class Backends(NamedTuple):
    """The connections of a gateway to the broker and to SQL.

    Attributes:
        client: connections to the broker for rare commands.
        pipe: a connection to the broker for sends and signals, which must not wait for others.
        reads: a connection to the broker for commands that may have long answers.
        reader: reads SQL.
        keys: keys and channels of the installation.
        fence: the partitions' latest known epochs.
        installation: the installation that is served.
    """

    client: Client
    pipe: Pipe
    reads: Pipe
    reader: Reader
    keys: Keyspace
    fence: Fence
    installation: Installation

    @property
    def broker(self) -> tuple[Client, Pipe, Keyspace, Fence]:
        """The arguments that all classes for rooms in the broker take."""
        return self.client, self.reads, self.keys, self.fence

    async def reconnect_to_broker(self) -> None:
        """Drop all connections to the broker; new ones find the server that leads now."""
        self.pipe.renew()
        self.reads.renew()
        await self.client.connection_pool.disconnect()

    @classmethod
    def open(cls, settings: Settings, installation: Installation, stack: AsyncExitStack) -> Self:
        """Open the connections; the stack closes them."""
        engine = open_engine(settings.database, writes=False)
        stack.push_async_callback(engine.dispose)
        client = connect(settings.redis_url)
        stack.push_async_callback(client.aclose)
        pipe, reads = Pipe(settings.redis_url), Pipe(settings.redis_url)
        stack.callback(pipe.close)
        stack.callback(reads.close)
        keys = Keyspace(installation.namespace, installation.partitions)
        fence = Fence(installation.partitions)
        return cls(client, pipe, reads, Reader(engine), keys, fence, installation)
