"""The search for the installation that a gateway serves, before it listens."""

import asyncio
import contextlib
from functools import partial
from typing import Final

from shared.broker.partitions.fence import Fence
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.partitions.members import UNKNOWN_DATABASE, AnotherDatabase, Membership
from shared.broker.partitions.partitions import PartitionProbe
from shared.broker.transport.client import UNAVAILABLE
from shared.broker.transport.pipe import Pipe
from shared.broker.transport.reach import reach_broker
from shared.config import Settings, incarnation
from shared.config.reaching import Reports, Unreachable, until_reached
from shared.storage.engine import Engine, open_engine
from shared.storage.installation import (
    Installation,
    check_settings,
    confirm_location,
    read_installation,
)
from shared.storage.reach import outage_as_unreachable, reach_database
from shared.storage.tables import SCHEMA
from shared.telemetry import logger

POLL_INTERVAL_SECONDS: Final = 0.1
"""Seconds between two tries to reach a database or a persister."""

log = logger(__name__)


async def find_installation(settings: Settings) -> Installation:
    """Read which installation the database and the broker belong to, and check that it is ours.

    Raises:
        ConfigError: the data is another installation's, or a copy, or of a format or schema that
            this build does not read, or Redis or the database cannot be reached.
    """
    engine = open_engine(settings.database, writes=False)
    pipe = Pipe(settings.redis_url)
    try:
        if settings.start_seconds:
            attempt = partial(reach_broker, settings.redis_url)
            await until_reached(attempt, within=settings.start_seconds, say=log.warning)
        found = await _wait_for_installation(engine, settings)
        keys = Keyspace(found.namespace, found.partitions)
        membership = Membership(
            pipe,
            keys,
            incarnation(settings.gateway_name),
            "gateway",
            schema=SCHEMA,
            database=found.stored_in,
        )
        # Of a gateway that once worked, clients and operators learn what is missing: it starts
        # without a broker too, and becomes ready once there is one.
        with contextlib.suppress(*UNAVAILABLE):
            await _announce(membership)
            await membership.leave()
            await PartitionProbe(pipe, keys, Fence(len(keys))).states()
    finally:
        pipe.close()
        await engine.dispose()
    return found


async def _wait_for_installation(engine: Engine, settings: Settings) -> Installation:
    """Wait until a persister has prepared the database, and return its installation.

    With NAMESPACE and PARTITIONS set, a gateway starts without SQL too.

    Raises:
        ConfigError: the data is another installation's, or a copy, this build cannot use it, or
            the database cannot be reached.
    """
    read = partial(_read_prepared, engine, settings)
    if settings.namespace and settings.partitions:
        fixed = Installation(settings.namespace, settings.partitions, UNKNOWN_DATABASE)
        try:
            return await read() or fixed
        except Unreachable as error:
            if error.permanent and settings.start_seconds:
                raise
            return fixed
    reports = Reports(log.warning)
    while True:
        found = await until_reached(read, within=settings.start_seconds, say=log.warning)
        if found:
            return found
        reports.say("waiting for the database: no persister has prepared it yet")
        await asyncio.sleep(POLL_INTERVAL_SECONDS)


async def _read_prepared(engine: Engine, settings: Settings) -> Installation | None:
    """Read the installation of a database; None before a persister has prepared it.

    Raises:
        ConfigError: the data is another installation's, or a copy, or this build cannot use it.
        Unreachable: the database is away.
    """
    await reach_database(engine)
    with outage_as_unreachable(engine):
        found = await read_installation(engine)
        if found is None:
            return None
        check_settings(found, settings.partitions, settings.namespace)
        return await confirm_location(engine, found)


async def _announce(membership: Membership) -> None:
    """Announce this gateway; wait until a persister works with the same database.

    Raises:
        ConfigError: this build does not read the data, or the installation has another database.
        UNAVAILABLE: the broker is away.
    """
    while True:
        try:
            await membership.announce()
        except AnotherDatabase as error:
            if not error.later:
                raise
            await asyncio.sleep(POLL_INTERVAL_SECONDS)
        else:
            return
