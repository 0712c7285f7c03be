"""The search for the installation that a gateway serves, before it listens."""

import asyncio
import contextlib
from typing import Final

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_fixed

from shared.broker.partitions.fence import Fence
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.partitions.members import UNKNOWN_DATABASE, AnotherDatabase, Membership
from shared.broker.partitions.partitions import PartitionProbe
from shared.broker.transport.client import UNAVAILABLE
from shared.broker.transport.pipe import Pipe
from shared.config import Settings, incarnation
from shared.storage.engine import OUTAGE, Engine, open_engine
from shared.storage.installation import (
    Installation,
    check_settings,
    confirm_location,
    read_installation,
)
from shared.storage.tables import SCHEMA
from shared.telemetry import logger

POLL_INTERVAL_SECONDS: Final = 0.1
"""Seconds between two tries to reach a database or a persister."""

POLLS_PER_LOG_LINE: Final = 50
"""Number of tries after which the reason of the waiting is logged again."""

log = logger(__name__)


class NotPreparedError(Exception):
    """The database holds no installation yet."""


async def find_installation(settings: Settings) -> Installation:
    """Read which installation the database and the broker belong to, and check that it is ours.

    Raises:
        ConfigError: the data is another installation's, or a copy, or of a format or schema that
            this build does not read.
    """
    engine = open_engine(settings.database, writes=False)
    pipe = Pipe(settings.redis_url)
    try:
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
        # Without a broker the gateway starts all the same: it becomes ready once there is one.
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
    """
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type((*OUTAGE, NotPreparedError)),
        wait=wait_fixed(POLL_INTERVAL_SECONDS),
        before_sleep=_log_reason,
    ):
        with attempt:
            try:
                return await _read_prepared(engine, settings)
            except (*OUTAGE, NotPreparedError):
                if settings.namespace and settings.partitions:
                    return Installation(settings.namespace, settings.partitions, UNKNOWN_DATABASE)
                raise
    raise AssertionError("the retries never end")


async def _read_prepared(engine: Engine, settings: Settings) -> Installation:
    """Read the installation of a database that a persister has prepared.

    Raises:
        NotPreparedError: no persister has prepared it yet.
        ConfigError: the data is another installation's, or a copy, or this build cannot use it.
        OUTAGE: the database is away.
    """
    found = await read_installation(engine)
    if found is None:
        raise NotPreparedError("no persister has prepared the database yet")
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


def _log_reason(state: RetryCallState) -> None:
    """Log the reason of the waiting at the first try and every `POLLS_PER_LOG_LINE` tries."""
    if state.attempt_number % POLLS_PER_LOG_LINE == 1:
        error = state.outcome.exception() if state.outcome else None
        log.warning("waiting for the database", error=str(error).split("\n", 1)[0])
