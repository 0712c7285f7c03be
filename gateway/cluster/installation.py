"""Whose data a gateway serves: found out before it listens."""

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
"""Seconds between two looks for a database, or for a persister, that is not there yet."""

POLLS_PER_LOG_LINE: Final = 50
"""Looks after which it is said what is waited for."""

log = logger(__name__)


class NotPreparedError(Exception):
    """The database holds no installation yet."""


async def find_installation(settings: Settings) -> Installation:
    """Find out whose data the database and the broker have, and whether it can be served.

    Raises:
        ConfigError: it is another installation's, or a copy, or this build does not read it.
    """
    engine = open_engine(settings.database_url, writes=False)
    pipe = Pipe(settings.redis_url)
    try:
        found = await _installation_of(engine, settings)
        keys = Keyspace(found.namespace, found.partitions)
        membership = Membership(
            pipe,
            keys,
            incarnation(settings.gateway_name),
            "gateway",
            schema=SCHEMA,
            database=found.stored_in,
        )
        with contextlib.suppress(*UNAVAILABLE):  # it may come; readiness looks again
            await _announced(membership)
            await membership.leave()
            await PartitionProbe(pipe, keys, Fence(len(keys))).states()
    finally:
        pipe.close()
        await engine.dispose()
    return found


async def _installation_of(engine: Engine, settings: Settings) -> Installation:
    """Whose data this is, as soon as a persister has prepared the database.

    With NAMESPACE and PARTITIONS a gateway starts without SQL, too.
    """
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type((*OUTAGE, NotPreparedError)),
        wait=wait_fixed(POLL_INTERVAL_SECONDS),
        before_sleep=_say_why,
    ):
        with attempt:
            try:
                return await _prepared(engine, settings)
            except (*OUTAGE, NotPreparedError):
                if settings.namespace and settings.partitions:
                    return Installation(settings.namespace, settings.partitions, UNKNOWN_DATABASE)
                raise
    raise AssertionError("it is tried for ever")


async def _prepared(engine: Engine, settings: Settings) -> Installation:
    """Whose data this is, if a persister has prepared the database.

    Raises:
        NotPreparedError: none has.
        ConfigError: it is another's, or a copy, or this build cannot use it.
        OUTAGE: it is away.
    """
    found = await read_installation(engine)
    if found is None:
        raise NotPreparedError("no persister has prepared the database yet")
    check_settings(found, settings.partitions, settings.namespace)
    return await confirm_location(engine, found)


async def _announced(membership: Membership) -> None:
    """Announce this gateway, as soon as a persister works with the same database.

    Raises:
        ConfigError: this build does not read the data, or the installation is stored elsewhere.
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


def _say_why(state: RetryCallState) -> None:
    """Say what is waited for, now and then."""
    if state.attempt_number % POLLS_PER_LOG_LINE == 1:
        error = state.outcome.exception() if state.outcome else None
        log.warning("waiting for the database", error=str(error).split("\n", 1)[0])
