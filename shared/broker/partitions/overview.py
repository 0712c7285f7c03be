"""The broker's state for the status page: its settings, the persisters, the dead letters."""

import asyncio
from typing import Any, Final

import msgspec

from shared.broker.partitions.keyspace import Keyspace
from shared.broker.partitions.members import outage_of_persister
from shared.broker.transport.client import UNAVAILABLE, Client, Failure

ANSWER_TIMEOUT_SECONDS: Final = 2.0


class Server(msgspec.Struct, frozen=True, rename="camel"):
    """The broker's server.

    Attributes:
        doubts: a sentence for each of its settings that may lose accepted messages.
    """

    version: str
    role: str
    uptime_seconds: int
    memory_bytes: int
    clients: int
    doubts: list[str]


class Overview(msgspec.Struct, frozen=True):
    """One look at the broker.

    Attributes:
        server: the server's version, load and settings.
        persisters: the outage of each running persister by its incarnation; '' for none.
        owners: for each partition the incarnation that has its lease; None where it is free.
        dead_letters: for each partition the number of its dead letters.
    """

    server: Server
    persisters: dict[str, str]
    owners: list[str | None]
    dead_letters: list[int]


class ClusterInspector:
    """Inspects the broker on request. Nothing that carries messages depends on it."""

    def __init__(self, client: Client, keys: Keyspace) -> None:
        self._client = client
        self._parts = keys.partitions

    async def inspect(self) -> Overview | None:
        """Read the broker's state; None if it does not answer within 2 s."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
                return await self._read_overview()
        except (*UNAVAILABLE, TimeoutError):
            return None

    async def _read_overview(self) -> Overview:
        pipeline: Any = self._client.pipeline(transaction=False)
        pipeline.info()
        pipeline.hgetall(self._parts[0].members)
        for part in self._parts:
            pipeline.get(part.lease)
            pipeline.xlen(part.dead)
        info, members, *pairs = await pipeline.execute()
        owners, dead = pairs[::2], pairs[1::2]
        return Overview(
            server=_server(info, await self._fsync()),
            persisters={
                name.decode(): outage
                for name, word in members.items()
                if (outage := outage_of_persister(word)) is not None
            },
            owners=[owner.decode() if owner else None for owner in owners],
            dead_letters=[int(count) for count in dead],
        )

    async def _fsync(self) -> str | None:
        """The server's setting `appendfsync`; None where CONFIG is not allowed."""
        try:
            found: Any = await self._client.config_get("appendfsync")
        except UNAVAILABLE:
            raise
        except Failure:
            return None  # some hosting providers do not allow CONFIG
        return str(found.get("appendfsync")) if found else None


def _server(info: dict[str, Any], fsync: str | None) -> Server:
    doubts = []
    if not info.get("aof_enabled"):
        doubts.append("appendonly is off: accepted messages are lost when Redis ends")
    elif fsync not in (None, "always"):
        doubts.append(f"appendfsync is {fsync}: a power failure loses the last accepted messages")
    if info.get("maxmemory") and info.get("maxmemory_policy") != "noeviction":
        policy = info.get("maxmemory_policy")
        doubts.append(f"maxmemory-policy is {policy}: accepted messages may be evicted")
    return Server(
        version=str(info.get("valkey_version") or info.get("redis_version")),
        role=str(info.get("role")),
        uptime_seconds=int(info.get("uptime_in_seconds", 0)),
        memory_bytes=int(info.get("used_memory", 0)),
        clients=int(info.get("connected_clients", 0)),
        doubts=doubts,
    )
