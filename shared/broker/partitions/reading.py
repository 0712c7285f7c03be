"""Reads of single keys of a partition that a server left behind by a failover refuses."""

from typing import Any

from shared.broker.partitions.fence import Fence
from shared.broker.partitions.keyspace import Keyspace, PartitionKeys
from shared.broker.transport.client import unavailable_as_error
from shared.broker.transport.pipe import Pipe, PipedScript
from shared.broker.transport.resp import Word
from shared.errors import broker_unavailable


class PartitionReader:
    """Runs commands that read keys of a partition while it is open.

    A server that a failover left behind would answer a plain command with old data. Here the
    script `read_key` checks the epoch first.

    Attributes:
        keys: the installation's keys.
        fence: the epochs that this process has seen.
    """

    def __init__(self, pipe: Pipe, keys: Keyspace, fence: Fence) -> None:
        self.keys = keys
        self.fence = fence
        self._read = PipedScript(pipe, "read_key")

    async def read(
        self, part: PartitionKeys, command: str, *keys: str, words: tuple[Word, ...] = ()
    ) -> Any:  # noqa: ANN401 - each command answers differently
        """Run `COMMAND KEY.. WORD..` and return its answer, with strings as bytes.

        Raises:
            ChatError: `broker_unavailable`, also while the partition is closed.
        """
        with unavailable_as_error():
            answer = await self._read(
                [part.record, *keys], [self.fence.epoch(part.number), command, *words]
            )
        if answer is None:
            raise broker_unavailable()
        return answer[0]
