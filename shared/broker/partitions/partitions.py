"""A persister's commands to the broker: leases, epochs, committed positions, idle rooms."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from shared.broker.partitions.fence import Fence
from shared.broker.partitions.keyspace import Keyspace, PartitionKeys
from shared.broker.transport.client import Client, Script
from shared.broker.transport.pipe import Pipe, PipedScript
from shared.config import ConfigError, Settings
from shared.model import formats


class PartitionState(msgspec.Struct, frozen=True):
    """The state of a partition in the broker.

    Attributes:
        replid: the `master_replid` of the server that answered.
        epoch: the epoch in which the partition is open; None while it is closed.
        partitions: PARTITIONS at the time it was opened; None if it never was.
        last: the last entry id that its stream ever gave, `<counter>-0`.
        position: the counter up to which SQL has everything.
        age: seconds since it was opened.
        written_in: the partition's format; 0 before it was first opened.
        left_behind: the partition is open here in an epoch that has ended on another server: a
            failover left this server behind.
    """

    replid: str
    epoch: int | None
    partitions: int | None
    last: str
    position: int = 0
    age: float = 0.0
    written_in: int = formats.NEVER_OPENED
    left_behind: bool = False

    @property
    def last_counter(self) -> int:
        """The number in `last`."""
        return int(self.last.partition("-")[0])


class Head(NamedTuple):
    """The last committed seq of a room; 0 where only its cursors or record changed."""

    room_id: int
    seq: int


class PartitionProbe:
    """Reads the state of all partitions, for gateways."""

    def __init__(self, pipe: Pipe, keys: Keyspace, fence: Fence) -> None:
        self._keys = keys
        self._fence = fence
        self._state = PipedScript(pipe, "partition_state")

    async def states(self) -> list[PartitionState]:
        """Read the state of each partition, in order.

        A partition without an epoch is closed and accepts nothing. It was never opened, or it was
        opened on a server that was replaced, or a failover left this server behind.

        Raises:
            ConfigError: they were opened under another PARTITIONS, or in a format that this build
                does not know.
        """
        states = await asyncio.gather(
            *(read_state(self._state, part) for part in self._keys.partitions)
        )
        check_states(len(self._keys), states)
        return [self._seen(number, state) for number, state in enumerate(states)]

    def _seen(self, number: int, state: PartitionState) -> PartitionState:
        if state.epoch is None:
            return state
        if state.epoch < self._fence.epoch(number):
            return msgspec.structs.replace(state, epoch=None, left_behind=True)
        self._fence.note_open(number, state.epoch, state.written_in)
        return state


async def read_state(script: PipedScript, part: PartitionKeys) -> PartitionState:
    """Read the state of one partition with the script `partition_state`."""
    answer = await script([part.record, part.stream], [])
    replid, epoch, partitions, last, position, age, written_in = answer
    return PartitionState(
        replid.decode(),
        int(epoch) if epoch else None,
        int(partitions) if partitions else None,
        last.decode(),
        int(position),
        int(age) / 1000,
        int(written_in),
    )


def check_states(expected: int, states: Iterable[PartitionState]) -> None:
    """Check that PARTITIONS and this build fit the broker's data.

    Raises:
        ConfigError: PARTITIONS differs, or this build does not know the format.
    """
    for state in states:
        if state.written_in and not formats.is_known(state.written_in):
            raise ConfigError(formats.refusal(state.written_in))
        if state.partitions not in (None, expected):
            raise ConfigError(
                f"PARTITIONS={expected} is not valid: the broker's data was made with "
                f"{state.partitions}, and this number cannot change"
            )


class PartitionBroker:
    """The partition commands of a persister, except reading streams."""

    def __init__(
        self, client: Client, pipe: Pipe, keys: Keyspace, fence: Fence, settings: Settings
    ) -> None:
        self._client = client
        self._keys = keys
        self._fence = fence
        self._log_length = settings.log_length
        self._room_idle_ms = int(settings.room_idle * 1000)
        self._lease_ms = int(settings.lease_seconds * 1000)
        # Frequent scripts go through the pipe, which costs a tenth of the CPU.
        self._state = PipedScript(pipe, "partition_state")
        self._open = Script(client, "open_partition")
        self._committed = PipedScript(pipe, "committed")
        self._evict = Script(client, "evict_room")
        self._lease = PipedScript(pipe, "hold_lease")

    async def hold_lease(self, number: int, owner: str) -> bool:
        """Take or renew the lease of a partition. Return True if `owner` has it now."""
        answer = await self._lease([self._keys[number].lease], [owner, self._lease_ms])
        return bool(answer)

    async def release_lease(self, number: int, owner: str) -> None:
        """Give back a lease, if `owner` has it."""
        await self._lease([self._keys[number].lease], [owner, 0])

    async def state(self, number: int) -> PartitionState:
        """Read the state of a partition.

        Raises:
            ConfigError: it was opened under another PARTITIONS, or in a format that this build does
                not know.
        """
        state = await read_state(self._state, self._keys[number])
        check_states(len(self._keys), [state])
        if state.epoch is not None:
            self._fence.note_open(number, state.epoch, state.written_in)
        return state

    async def close(self, number: int) -> None:
        """Close a partition: it accepts nothing until it is opened again."""
        await self._client.hdel(self._keys[number].record, "epoch")

    async def open(
        self, number: int, epoch: int, seen: PartitionState, start: int, written_in: int
    ) -> Literal["open", "moved", "newer", "unread"]:
        """Open a partition in a new epoch.

        Args:
            number: the partition's number.
            epoch: the new epoch, as SQL has it.
            seen: the partition's state before the owner stored its surviving entries.
            start: the first entry of the epoch gets the counter above this one.
            written_in: the format of the epoch.

        Returns:
            `open`, or the reason for which it stays closed: the server or its stream `moved` on
            since `seen` was read, a later owner opened it in a `newer` epoch, or a running process
            does not read the format (`unread`).
        """
        part = self._keys[number]
        answer = await self._open(
            [part.record, part.stream, part.unstored, part.members],
            [epoch, seen.replid, seen.last, start, number, len(self._keys), written_in],
        )
        result: Literal["open", "moved", "newer", "unread"] = answer.decode()
        return result

    async def committed(
        self,
        number: int,
        epoch: int,
        position: int,
        heads: Mapping[str, Head],
        created: Sequence[str],
    ) -> bool:
        """Tell the broker that SQL has everything up to `position`: it trims stream and logs.

        Args:
            number: the partition's number.
            epoch: the epoch of the owner's claim.
            position: the counter of the last committed entry.
            heads: the last committed seq of each room that the batches touched, by key.
            created: keys of rooms whose creation was committed.

        Returns:
            False if the broker's record is of another epoch; nothing was trimmed then.
        """
        part = self._keys[number]
        answer = await self._committed(
            [
                *(part.record, part.stream, part.unstored, part.control),
                *(k for key in heads for k in (part.room(key), *part.all_of_room(key))),
            ],
            [
                *(epoch, position, self._log_length),
                *(word for head in heads.values() for word in head),
                *created,
            ],
        )
        return bool(answer)

    async def unstored(self, number: int, limit: int = 500) -> list[str]:
        """Keys of up to `limit` rooms whose creation may not be in SQL yet."""
        found: Any = await self._client.zrange(self._keys[number].unstored, 0, limit - 1)
        return [key.decode() for key in found]

    async def evict_idle(self, number: int, limit: int = 100) -> int:
        """Remove up to `limit` idle rooms from the broker. Return the number of removed rooms."""
        part = self._keys[number]
        seconds, micros = await self._client.time()
        before = seconds * 1000 + micros // 1000 - self._room_idle_ms
        quiet: Any = await self._client.zrangebyscore(part.held, "-inf", before, 0, limit)
        evicted = 0
        for raw in quiet:
            key = raw.decode()
            users: Any = await self._client.hmget(part.room(key), ["user1", "user2"])
            keys = [part.record, part.held, part.room(key), *part.all_of_room(key)]
            keys += [part.chats(user.decode()) for user in users if user]
            evicted += int(await self._evict(keys, [key, self._room_idle_ms]))
        return evicted
