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
        subject: the rate-limit subject: one name, or several that share the bucket.
        rate: how fast.
    """

    kind: str
    subject: tuple[str, ...]
    rate: Rate


class LimitsUnavailable(Exception):
    """The broker does not say; it may have taken the tokens."""


class LimitBroker:
    """The buckets of all gateways."""

    def __init__(self, pipe: Pipe, keys: Keyspace) -> None:
        self._keys = keys
        self._take = PipedScript(pipe, "take_tokens")

    async def take(self, buckets: Sequence[Bucket], wanted: int) -> tuple[int, int]:
        """Take up to `wanted` tokens from each of some buckets, or none at all.

        Args:
            buckets: several have the same first name in `subject`.
            wanted: tokens to take; below zero, tokens to give back.

        Returns:
            How many were taken, and if none the microseconds until every bucket has one.

        Raises:
            LimitsUnavailable: the broker is away.
        """
        args = [
            number for bucket in buckets for number in (bucket.rate.interval, bucket.rate.burst)
        ]
        keys = [self._keys.bucket(bucket.kind, bucket.subject) for bucket in buckets]
        try:
            granted, wait = await self._take(keys, [wanted, *args])
        except (RedisError, OSError) as error:
            raise LimitsUnavailable(str(error)) from error
        return granted, wait
