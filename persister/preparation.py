"""Preparation of the database before a persister stores anything: schema and identity."""

import asyncio

from shared.broker.partitions.keyspace import Keyspace
from shared.broker.partitions.members import Membership
from shared.broker.transport.client import UNAVAILABLE
from shared.broker.transport.pipe import Pipe
from shared.broker.transport.reach import reach_broker
from shared.config import Settings, incarnation
from shared.config.reaching import until_reached
from shared.storage.engine import Engine
from shared.storage.installation import Installation, confirm_location, read_installation
from shared.storage.migrate import migrate
from shared.storage.reach import outage_as_unreachable, reach_database
from shared.storage.tables import SCHEMA
from shared.telemetry import logger

log = logger("persister")


def membership_of(
    settings: Settings, installation: Installation, keys: Keyspace, pipe: Pipe
) -> Membership:
    """Make the announcements of this persister."""
    return Membership(
        pipe,
        keys,
        incarnation(settings.persister_name),
        "persister",
        schema=SCHEMA,
        database=installation.stored_in,
        lease_seconds=settings.lease_seconds,
    )


async def prepare(
    settings: Settings, engine: Engine, pipe: Pipe, stop: asyncio.Event
) -> Installation | None:
    """Migrate the database to this build's schema, and check that it is the right database.

    Returns:
        The database's installation; None if `stop` was set before it could be reached.

    Raises:
        ConfigError: this process may not work with the data, or cannot reach its servers.
    """

    async def migrate_once() -> Installation:
        await reach_broker(settings.redis_url)
        await reach_database(engine)
        with outage_as_unreachable(engine):
            min_known_schema = await _min_known_schema(settings, engine, pipe)
            found = await migrate(
                engine,
                partitions=settings.partitions,
                namespace=settings.namespace,
                min_known_schema=min_known_schema,
            )
            return await confirm_location(engine, found)

    return await until_reached(
        migrate_once, within=settings.start_seconds, say=log.warning, ended=stop.is_set
    )


async def _min_known_schema(settings: Settings, engine: Engine, pipe: Pipe) -> int | None:
    """The lowest schema that a running process knows; None if unknown."""
    found = await read_installation(engine)
    if found is None:
        return None
    found = await confirm_location(engine, found)
    keys = Keyspace(found.namespace, found.partitions)
    membership = membership_of(settings, found, keys, pipe)
    try:
        lowest = min(reply.schema for reply in await membership.announce())
        await membership.leave()
    except UNAVAILABLE:
        return None
    return lowest
