"""Token buckets in the broker, shared by all gateways, so that limits hold for the cluster."""

from collections.abc import Sequence
from typing import NamedTuple

from redis.exceptions import RedisError

from shared.broker.partitions.keyspace import Keyspace
from shared.broker.transport.pipe import Pipe, PipedScript
from shared.rates import Rate


class Bucket(NamedTuple):
    """A token bucket.

    Attributes:
        kind: the kind of actions that is limited.
        subject: the rate-limit subject: one name, or several that share the bucket.
        rate: the rate at which tokens come.
    """

    kind: str
    subject: tuple[str, ...]
    rate: Rate


class LimitsUnavailable(Exception):
    """The broker did not answer. It may have taken the tokens or not."""


class LimitBroker:
    """Takes tokens from the buckets in the broker."""

    def __init__(self, pipe: Pipe, keys: Keyspace) -> None:
        self._keys = keys
        self._take = PipedScript(pipe, "take_tokens")

    async def take(self, buckets: Sequence[Bucket], wanted: int) -> tuple[int, int]:
        """Take up to `wanted` tokens, the same number from each bucket, or none at all.

        Args:
            buckets: their subjects must have the same first name.
            wanted: tokens to take; below zero, tokens to give back.

        Returns:
            The number of tokens taken, and if 0 the microseconds until every bucket has one.

        Raises:
            LimitsUnavailable: the broker did not answer.
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
