"""`python -m gateway`: one gateway, listening on HOST:PORT."""

import asyncio
import contextlib

import uvicorn

from gateway.app import make_app
from shared.broker.client import UNAVAILABLE, connect
from shared.broker.partitions import PartitionProbe
from shared.config import ConfigError, Settings, load_or_exit, refuse
from shared.storage.engine import open_engine
from shared.telemetry import configure

MOST_FRAME = 65_536
"""Bytes of a client's frame; a larger one ends its connection (close code 1009)."""


async def check(settings: Settings) -> None:
    """Find out now what could never work.

    Raises:
        ConfigError: a URL cannot be used, or PARTITIONS is not what the data was made with.
    """
    await open_engine(settings.database_url, writes=False).dispose()
    client = connect(settings.redis_url)
    try:
        with contextlib.suppress(*UNAVAILABLE):  # it may come; readiness looks again
            await PartitionProbe(client, settings.partitions).closed()
    finally:
        await client.aclose()


def main() -> None:
    """Read the settings and serve until SIGTERM or SIGINT."""
    settings = load_or_exit(Settings)
    configure(settings, settings.gateway_name)
    try:
        asyncio.run(check(settings))
    except ConfigError as error:
        refuse(str(error))
    uvicorn.run(
        make_app(settings),
        host=settings.host,
        port=settings.port,
        ws="websockets-sansio",
        ws_max_size=MOST_FRAME,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(settings.drain_seconds),
    )


if __name__ == "__main__":
    main()
