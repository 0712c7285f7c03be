"""Partitions as their owners see them: leases, epochs, what was committed, what is idle."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from shared.broker.client import Client, Script
from shared.broker.keys import PERSISTERS, PartitionKeys
from shared.broker.pipe import Pipe, PipedScript
from shared.config import ConfigError, Settings


class PartitionState(msgspec.Struct, frozen=True):
    """A partition in the broker.

    Attributes:
        replid: of the server that answered.
        epoch: the epoch it is open in; None while it is closed.
        partitions: how many there were when it was opened; None if it never was.
        last: the last entry id its stream ever gave, `<counter>-0`.
        position: the counter up to which SQL has everything.
        age: seconds since it was opened.
    """

    replid: str
    epoch: int | None
    partitions: int | None
    last: str
    position: int = 0
    age: float = 0.0

    @property
    def last_counter(self) -> int:
        """The number in `last`."""
        return int(self.last.partition("-")[0])


class Head(NamedTuple):
    """How far a room is committed: the last seq, 0 where only state changed."""

    room_id: int
    seq: int


class PartitionProbe:
    """Looks at whether partitions are open."""

    def __init__(self, pipe: Pipe, partitions: int) -> None:
        self._partitions = partitions
        self._state = PipedScript(pipe, "partition_state")

    async def states(self) -> list[PartitionState]:
        """Where each stands. One without an epoch accepts nothing.

        It was never opened, or on a server that was replaced since.

        Raises:
            ConfigError: they were opened under another PARTITIONS.
        """
        states = await asyncio.gather(
            *(read_state(self._state, number) for number in range(self._partitions))
        )
        check_partitions(self._partitions, states)
        return states


async def read_state(script: PipedScript, number: int) -> PartitionState:
    """Run `partition_state` for one partition."""
    part = PartitionKeys(number)
    replid, epoch, partitions, last, position, age = await script([part.record, part.stream], [])
    return PartitionState(
        replid.decode(),
        int(epoch) if epoch else None,
        int(partitions) if partitions else None,
        last.decode(),
        int(position),
        int(age) / 1000,
    )


def check_partitions(expected: int, states: Iterable[PartitionState]) -> None:
    """Hold PARTITIONS to what the broker's data was made with.

    Raises:
        ConfigError: it is another.
    """
    for state in states:
        if state.partitions not in (None, expected):
            raise ConfigError(
                f"PARTITIONS={expected} is not valid: "
                f"the broker's data was made with {state.partitions}, for good"
            )


class PartitionBroker:
    """What a persister does with partitions, beside reading their streams."""

    def __init__(self, client: Client, pipe: Pipe, settings: Settings) -> None:
        self._client = client
        self._partitions = settings.partitions
        self._log_length = settings.log_length
        self._room_idle_ms = int(settings.room_idle * 1000)
        self._lease_ms = int(settings.lease_seconds * 1000)
        # What is asked all the time goes through the pipe.
        self._state = PipedScript(pipe, "partition_state")
        self._open = Script(client, "open_partition")
        self._committed = PipedScript(pipe, "committed")
        self._evict = Script(client, "evict_room")
        self._lease = PipedScript(pipe, "hold_lease")
        self._meet = Script(client, "meet_members")

    async def hold_lease(self, number: int, owner: str) -> bool:
        """Take or renew the lease of a partition; whether `owner` has it now."""
        answer = await self._lease([PartitionKeys(number).lease], [owner, self._lease_ms])
        return bool(answer)

    async def release_lease(self, number: int, owner: str) -> None:
        """Give a lease back."""
        await self._lease([PartitionKeys(number).lease], [owner, 0])

    async def meet(self, member: str) -> int:
        """Say that the persister `member` lives; how many do, itself among them."""
        return int(await self._meet([PERSISTERS], [member, self._lease_ms]))

    async def leave(self, member: str) -> None:
        """Say that a persister is going."""
        await self._meet([PERSISTERS], [member, 0])

    async def state(self, number: int) -> PartitionState:
        """Where a partition stands."""
        return await read_state(self._state, number)

    async def close(self, number: int) -> None:
        """Close a partition: nothing is accepted until it is opened."""
        await self._client.hdel(PartitionKeys(number).record, "epoch")

    async def open(self, number: int, epoch: int, seen: PartitionState, start: int) -> bool:
        """Open a partition in a new epoch; numbering goes on above `start`.

        Returns:
            False when the broker moved on since `seen` was read: look again.
        """
        part = PartitionKeys(number)
        answer = await self._open(
            [part.record, part.stream, part.unstored],
            [epoch, seen.replid, seen.last, start, number, self._partitions],
        )
        return bool(answer == b"open")

    async def committed(
        self,
        number: int,
        epoch: int,
        position: int,
        heads: Mapping[str, Head],
        created: Sequence[str],
    ) -> bool:
        """SQL has everything up to `position`: trim the stream and the logs.

        Args:
            number: the partition.
            epoch: the owner's.
            position: the last entry committed.
            heads: for each room the batch touched, by key, how far it is committed.
            created: keys of rooms whose creation was committed.

        Returns:
            False when the broker's record is of another epoch.
        """
        part = PartitionKeys(number)
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

    async def unstored(self, number: int, most: int = 500) -> list[str]:
        """Keys of rooms whose creation may not be in SQL yet."""
        found: Any = await self._client.zrange(PartitionKeys(number).unstored, 0, most - 1)
        return [key.decode() for key in found]

    async def evict_idle(self, number: int, most: int = 100) -> int:
        """Let quiet rooms leave the broker, `most` at the most; how many did."""
        part = PartitionKeys(number)
        seconds, micros = await self._client.time()
        before = seconds * 1000 + micros // 1000 - self._room_idle_ms
        quiet: Any = await self._client.zrangebyscore(part.held, "-inf", before, 0, most)
        left = 0
        for raw in quiet:
            key = raw.decode()
            users: Any = await self._client.hmget(part.room(key), ["user1", "user2"])
            keys = [part.record, part.held, part.room(key), *part.all_of_room(key)]
            keys += [part.chats(user.decode()) for user in users if user]
            left += int(await self._evict(keys, [key, self._room_idle_ms]))
        return left
