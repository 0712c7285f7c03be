"""A persister: without a command, stores what gateways accept until SIGTERM or SIGINT.

With a command, it does that one thing and ends.
"""

import asyncio
import signal
import sys
from contextlib import AsyncExitStack, closing
from functools import partial
from typing import NamedTuple

import uvloop

from persister.commands.arguments import read_arguments
from persister.commands.dead_letters import retry_on_request
from persister.commands.running import run_command
from persister.dead_letter import BatchSalvage
from persister.leases import Leases
from persister.operator_port import serving_operator
from persister.ownership import PartitionOpener
from persister.preparation import membership_of, prepare
from persister.worker import Worker, show_gauges
from persister.writer import OUTAGE, Writer, writing_engine
from shared.broker.partitions.fence import Fence
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.partitions.legacy import LegacyBroker
from shared.broker.partitions.partitions import PartitionBroker
from shared.broker.partitions.stream import DeadLetters, StreamReader
from shared.broker.rooms.publisher import Publisher
from shared.broker.transport.client import UNAVAILABLE, Client, connect
from shared.broker.transport.pipe import Pipe
from shared.config import ConfigError, Settings, load_or_exit, refuse
from shared.essential import PeriodicTask
from shared.metrics import LoopLag
from shared.operator.listener import listen_or_exit
from shared.storage.engine import Engine
from shared.storage.installation import Installation
from shared.telemetry import configure, logger
from shared.trail import SUMMARY_SECONDS, Trail, check_trail_file
from shared.web.hosts import Hosts

log = logger("persister")


async def serve(settings: Settings, trail: Trail) -> None:
    """Store entries until SIGTERM or SIGINT, then finish the batch and give back the leases.

    Args:
        settings: of this process.
        trail: its summaries are written meanwhile.

    Raises:
        ConfigError: a setting does not fit the data, or cannot be used.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        engine = writing_engine(settings)
        stack.push_async_callback(engine.dispose)
        client = connect(settings.redis_url)
        stack.push_async_callback(client.aclose)
        pipe = Pipe(settings.redis_url)
        stack.callback(pipe.close)
        summaries = PeriodicTask(trail.end_period, SUMMARY_SECONDS, "security summaries")
        summaries.start()
        stack.push_async_callback(summaries.close)
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


def main() -> None:
    """Read the command line and the settings, and run the command."""
    arguments = read_arguments(__doc__)
    settings = load_or_exit(Settings)
    try:
        if arguments.command:
            sys.exit(0 if run_command(arguments, settings.data_dir) else 1)
        configure(settings, settings.persister_name)
        check_trail_file(settings.security_log)
        acts = {"/dead-letters/retry": partial(retry_on_request, settings)}
        hosts = Hosts(settings.public_url, [settings.admin_host])
        listener, secret = listen_or_exit(settings), settings.operator_secret
        trail = Trail(settings, settings.persister_name)
        with closing(trail), serving_operator(listener, hosts, secret, acts, trail):
            uvloop.run(serve(settings, trail))
    except ConfigError as error:
        refuse(str(error))
    except (*UNAVAILABLE, *OUTAGE) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        sys.exit(f"the broker or the database cannot be reached: {reason}")


if __name__ == "__main__":
    main()
