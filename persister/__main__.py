"""`python -m persister` stores what gateways accept; `... dead-letter list|retry` is by hand."""

import argparse
import asyncio
import signal
import sys

import uvloop
from sqlalchemy.ext.asyncio import AsyncEngine
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_fixed

from persister.admin import list_letters, retry_letters
from persister.dead_letter import Salvager
from persister.leases import Leases
from persister.operator_port import serving_operator
from persister.ownership import Opener
from persister.worker import Worker, show_gauges
from persister.writer import OUTAGE, Writer
from shared.broker.client import UNAVAILABLE, connect
from shared.broker.partitions import PartitionBroker
from shared.broker.pipe import Pipe
from shared.broker.publisher import Publisher
from shared.broker.stream import DeadLetters, StreamReader
from shared.config import ConfigError, Settings, incarnation, load_or_exit, refuse
from shared.listener import listen_or_exit
from shared.metrics import LoopLag
from shared.storage.engine import open_engine
from shared.storage.migrate import migrate
from shared.telemetry import configure, escaped, logger

log = logger("persister")


async def serve(settings: Settings) -> None:
    """Store until SIGTERM or SIGINT, then finish the batch and hand over.

    Raises:
        ConfigError: a setting does not fit the data, or cannot be used.
    """
    engine = _engine(settings)
    owner = incarnation(settings.persister_name)
    client = connect(settings.redis_url)
    pipe = Pipe(settings.redis_url)
    reader = StreamReader(settings.redis_url)
    writer = Writer(engine)
    broker = PartitionBroker(client, pipe, settings)
    worker = Worker(
        settings,
        Leases(broker, owner, settings.partitions, settings.lease_seconds),
        Opener(writer, broker, reader, owner, settings.partitions),
        broker,
        reader,
        writer,
        Salvager(writer, DeadLetters(client, settings.partitions), Publisher(pipe, settings)),
    )
    show_gauges(worker)
    lag = LoopLag()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    log.info("persister starts", owner=owner)
    try:
        await _migrated(settings, engine, worker)
        await worker.run()
    finally:
        lag.close()
        await reader.close()
        pipe.close()
        await client.aclose()
        await engine.dispose()
    log.info("persister ended")


async def operate(settings: Settings, action: str) -> bool:
    """List the dead letters, or try them again; whether all is well."""
    engine = _engine(settings)
    client = connect(settings.redis_url)
    letters = DeadLetters(client, settings.partitions)
    try:
        if action == "retry":
            return await retry_letters(letters, Writer(engine), _say)
        await list_letters(letters, _say)
        return True
    finally:
        await client.aclose()
        await engine.dispose()


def _say(line: str) -> None:
    print(escaped(line))


def _engine(settings: Settings) -> AsyncEngine:
    return open_engine(settings.database_url, writes=True, synchronous=settings.sqlite_synchronous)


async def _migrated(settings: Settings, engine: AsyncEngine, worker: Worker) -> None:
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(OUTAGE),
        wait=wait_fixed(0.5),
        stop=lambda _state: worker.stopping,
        before_sleep=_say_why,
        retry_error_callback=lambda _state: None,
    ):
        with attempt:
            await migrate(engine, settings.partitions)


def _say_why(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("database not ready", error=str(error).split("\n", 1)[0])


def main() -> None:
    """Read the command line and the settings, and run."""
    parser = argparse.ArgumentParser(prog="python -m persister", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    letters = commands.add_parser("dead-letter", help="entries that the database refused")
    letters.add_argument("action", choices=["list", "retry"])
    arguments = parser.parse_args()
    settings = load_or_exit(Settings)
    configure(settings, settings.persister_name)
    try:
        if arguments.command:
            sys.exit(0 if asyncio.run(operate(settings, arguments.action)) else 1)
        with serving_operator(listen_or_exit(settings)):
            uvloop.run(serve(settings))
    except ConfigError as error:
        refuse(str(error))
    except (*UNAVAILABLE, *OUTAGE) as error:
        sys.exit(f"cannot reach what is needed: {str(error).splitlines()[0]}")


if __name__ == "__main__":
    main()
