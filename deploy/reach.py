"""The check that a cluster can use the Redis and the database that its settings name."""

from collections.abc import Awaitable, Callable
from functools import partial

from deploy.data_dir import DataDir
from deploy.settings import Settings
from shared.broker.transport.reach import reach_broker
from shared.broker.transport.url import check_broker_url
from shared.config.reaching import Unreachable, until_reached
from shared.storage.engine import open_engine
from shared.storage.reach import reach_database
from shared.storage.url import database_url


async def until_servers_reached(
    settings: Settings, data_dir: DataDir, say: Callable[[str], object]
) -> None:
    """Wait at the first start of a cluster until its servers can be used.

    A later start goes on without a server that is only away: its settings were good once, so it
    is the server's turn, and gateways say meanwhile what is missing.

    Raises:
        ConfigError: a server cannot be used.
    """
    for reach in reaches(settings):
        if not data_dir.was_ready:
            await until_reached(reach, within=settings.start_seconds, say=say)
            continue
        try:
            await reach()
        except Unreachable as error:
            if error.permanent:
                raise


def reaches(settings: Settings) -> list[Callable[[], Awaitable[None]]]:
    """Return a function for each server that the settings name; it connects once.

    Raises:
        ConfigError: a URL is not valid.
    """
    found: list[Callable[[], Awaitable[None]]] = []
    if settings.redis_url:
        check_broker_url(settings.redis_url)
        found.append(partial(reach_broker, settings.redis_url))
    if settings.database_url:
        database_url(settings.database_url)
        found.append(partial(_reach_database, settings.database_url))
    return found


async def _reach_database(url: str) -> None:
    engine = open_engine(url, writes=False)
    try:
        await reach_database(engine)
    finally:
        await engine.dispose()
