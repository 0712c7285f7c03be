"""A persister: without a command, stores what gateways accept until SIGTERM or SIGINT.

With a command, it does that one thing and ends.
"""

import argparse
import asyncio
import signal
import sys
from contextlib import AsyncExitStack
from typing import NamedTuple

import uvloop

from persister.admin import list_letters, retry_letters
from persister.dead_letter import BatchSalvage
from persister.leases import Leases
from persister.operator_port import serving_operator
from persister.ownership import PartitionOpener
from persister.preparation import membership_of, prepare
from persister.worker import Worker, show_gauges
from persister.writer import OUTAGE, Writer
from shared.broker.partitions.fence import Fence
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.partitions.legacy import LegacyBroker
from shared.broker.partitions.partitions import PartitionBroker
from shared.broker.partitions.stream import DeadLetters, StreamReader
from shared.broker.rooms.publisher import Publisher
from shared.broker.transport.client import UNAVAILABLE, Client, connect
from shared.broker.transport.pipe import Pipe
from shared.broker.transport.reach import reach_broker
from shared.command_line import SETTINGS, command_line
from shared.config import ConfigError, Settings, given_names, load_or_exit, refuse
from shared.config.owner import cluster_settings
from shared.listener import listen_or_exit
from shared.metrics import LoopLag
from shared.storage.engine import Engine, open_engine
from shared.storage.installation import (
    Installation,
    adopt,
    new_identity,
    read_installation,
)
from shared.storage.reach import reach_database
from shared.telemetry import configure, escaped, logger

log = logger("persister")


async def serve(settings: Settings) -> None:
    """Store entries until SIGTERM or SIGINT, then finish the batch and give back the leases.

    Raises:
        ConfigError: a setting does not fit the data, or cannot be used.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        engine = _engine(settings)
        stack.push_async_callback(engine.dispose)
        client = connect(settings.redis_url)
        stack.push_async_callback(client.aclose)
        pipe = Pipe(settings.redis_url)
        stack.callback(pipe.close)
        log.info("persister starts")
        if installation := await prepare(settings, engine, pipe, stop):
            await _work(settings, installation, _Backends(engine, client, pipe), stop)
    log.info("persister ended")


class _Backends(NamedTuple):
    """The connections of a persister."""

    engine: Engine
    client: Client
    pipe: Pipe


async def _work(
    settings: Settings, installation: Installation, backends: _Backends, stop: asyncio.Event
) -> None:
    """Store entries until `stop`.

    Raises:
        ConfigError: this process may not work with the data.
    """
    engine, client, pipe = backends
    keys = Keyspace(installation.namespace, installation.partitions)
    fence = Fence(len(keys))
    membership = membership_of(settings, installation, keys, pipe)
    reader = StreamReader(settings.redis_url, keys)
    writer = Writer(engine)
    broker = PartitionBroker(client, pipe, keys, fence, settings)
    worker = Worker(
        settings,
        Leases(broker, membership, len(keys), settings.lease_seconds),
        PartitionOpener(
            writer,
            broker,
            reader,
            LegacyBroker(client, keys),
            membership,
            write_format=settings.write_format,
        ),
        broker,
        reader,
        writer,
        BatchSalvage(writer, DeadLetters(client, keys), Publisher(pipe, keys, fence, settings)),
    )
    show_gauges(worker)
    lag = LoopLag()
    log.info("persister works", owner=membership.incarnation, namespace=keys.namespace)
    try:
        await worker.run(stop)
    finally:
        lag.close()
        await reader.close()


async def handle_dead_letters(settings: Settings, action: str) -> bool:
    """List the dead letters, or try to store them. Return True if none failed."""
    engine = _engine(settings)
    await reach_broker(settings.redis_url)
    await reach_database(engine)
    found = await read_installation(engine)
    if found is None:
        raise ConfigError("this database holds no installation: start a persister on it first")
    client = connect(settings.redis_url)
    letters = DeadLetters(client, Keyspace(found.namespace, found.partitions))
    try:
        if action == "retry":
            return await retry_letters(letters, Writer(engine), _print_line)
        await list_letters(letters, _print_line)
        return True
    finally:
        await client.aclose()
        await engine.dispose()


def _print_line(line: str) -> None:
    print(escaped(line))


def _engine(settings: Settings) -> Engine:
    return open_engine(settings.database, writes=True, synchronous=settings.sqlite_synchronous)


async def change_identity(settings: Settings, action: str) -> None:
    """Adopt a copied, restored or moved database, or give it a new identity (`action`)."""
    engine = _engine(settings)
    try:
        await reach_database(engine)
        if action == "adopt":
            found = await adopt(engine)
        else:
            found = await new_identity(engine, settings.namespace)
    finally:
        await engine.dispose()
    _print_line(f"this database now belongs to the installation {found.namespace}")


COMMANDS = (
    ("dead-letter", "list events that the database refused, or try to store them again"),
    ("adopt", "go on with a database that was copied, restored or moved"),
    ("new-identity", "make a copied database an installation of its own"),
)


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = command_line("persister", __doc__, SETTINGS)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, description in COMMANDS:
        command = commands.add_parser(
            name, help=description, description=description, epilog=SETTINGS
        )
        if name == "dead-letter":
            command.add_argument("action", choices=["list", "retry"], help="what to do with them")
    return parser.parse_args()


def _settings_of_cluster(data_dir: str, command: str) -> Settings:
    """Read the settings of a command: those of the cluster that runs in DATA_DIR, if not given."""
    try:
        found = cluster_settings(data_dir, given_names(Settings), redis=command == "dead-letter")
    except ConfigError as error:
        refuse(str(error))
    return load_or_exit(Settings, found)


def main() -> None:
    """Read the command line and the settings, and run the command."""
    arguments = _arguments()
    settings = load_or_exit(Settings)
    if arguments.command:
        settings = _settings_of_cluster(settings.data_dir, arguments.command)
    configure(settings, settings.persister_name)
    try:
        if arguments.command in ("adopt", "new-identity"):
            asyncio.run(change_identity(settings, arguments.command))
            return
        if arguments.command:
            sys.exit(0 if asyncio.run(handle_dead_letters(settings, arguments.action)) else 1)
        with serving_operator(listen_or_exit(settings)):
            uvloop.run(serve(settings))
    except ConfigError as error:
        refuse(str(error))
    except (*UNAVAILABLE, *OUTAGE) as error:
        sys.exit(f"the broker or the database cannot be reached: {str(error).splitlines()[0]}")


if __name__ == "__main__":
    main()
