"""Token buckets in the broker: one for all gateways, so that a second one doubles no limit."""

from collections.abc import Sequence
from typing import NamedTuple

from redis.exceptions import RedisError

from shared.broker.partitions.keyspace import Keyspace
from shared.broker.transport.pipe import Pipe, PipedScript
from shared.rates import Rate


class Bucket(NamedTuple):
    """A bucket.

    Attributes:
        kind: what is limited.
        whose: whom it is for; several names where it is for all of them together.
        rate: how fast.
    """

    kind: str
    whose: tuple[str, ...]
    rate: Rate


class Unreachable(Exception):
    """The broker does not say; it may have taken the tokens."""


class LimitBroker:
    """The buckets of all gateways."""

    def __init__(self, pipe: Pipe, keys: Keyspace) -> None:
        self._keys = keys
        self._take = PipedScript(pipe, "take_tokens")

    async def take(self, buckets: Sequence[Bucket], most: int) -> tuple[int, int]:
        """Take up to `most` tokens from each of some buckets, or none at all.

        Args:
            buckets: several have the same first name in `whose`.
            most: tokens wanted; below zero, so many are given back.

        Returns:
            How many were taken, and if none the microseconds until every bucket has one.

        Raises:
            Unreachable: the broker is away.
        """
        args = [number for each in buckets for number in (each.rate.interval, each.rate.burst)]
        keys = [self._keys.bucket(each.kind, each.whose) for each in buckets]
        try:
            granted, wait = await self._take(keys, [most, *args])
        except (RedisError, OSError) as error:
            raise Unreachable(str(error)) from error
        return granted, wait
