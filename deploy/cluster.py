"""A whole cluster on one machine.

Starts Redis, the persisters, the gateways and the load balancer, restarts processes that end, and
stops them in order at SIGINT, SIGTERM or SIGHUP. Prints one line to standard output when the
cluster is ready; all else goes to standard error and to the log folder. Exit code 0 after an
ordered stop, 1 if the cluster cannot start or a process never comes up, 2 for an invalid setting.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from deploy.check import check
from deploy.data_dir import DataDir, StartError
from deploy.members import Members, Servers, find_servers, plan_members
from deploy.ports import PortPlan
from deploy.processes.console import Console
from deploy.processes.environments import exposure_faults
from deploy.reach import until_servers_reached
from deploy.servers.balancer_program import maintenance_notice
from deploy.servers.certificate import certificate_watch
from deploy.settings import Settings, environment, known_names, parse
from deploy.supervisor import INTERRUPTED, Supervisor
from shared.addresses import is_loopback
from shared.command_line import SETTINGS, command_line
from shared.config import ConfigError, load
from shared.config import Settings as ProcessSettings
from shared.config.typos import near_misses
from shared.tls.certificate import check_certificate

CANNOT_START = 1
BAD_SETTING = 2
# Seconds a process may take to stop beyond the drain it was given.
STOP_MARGIN_SECONDS = 5.0


Adjust = Callable[[Members], Members]


def as_planned(members: Members) -> Members:
    """Return the members unchanged."""
    return members


def main(adjust: Adjust = as_planned) -> int:
    """Run the cluster; return the exit code.

    Args:
        adjust: changes the way processes are started, for tests.
    """
    environ = environment()
    os.umask(0o077)  # also of all processes: what they write is for this user
    try:
        settings = parse(environ)
        if settings.tls_cert or settings.tls_key:
            check_certificate(settings.tls_cert or "", settings.tls_key or "")
        processes = load(ProcessSettings, environ)
        for fault in exposure_faults(settings, processes):
            raise fault
        plan = PortPlan(settings)
        servers = find_servers(settings)
        data_dir = DataDir(Path(settings.data_dir))
        data_dir.claim(
            plan.url,
            redis_url="" if settings.redis_url else plan.redis_url,
            own_database=not settings.database_url,
            auth_mode=processes.auth_mode,
        )
        return asyncio.run(run(settings, environ, plan, servers, data_dir, adjust))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_SETTING
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return CANNOT_START
    except KeyboardInterrupt:  # before the signal handlers were there
        return INTERRUPTED


async def run(
    settings: Settings,
    environ: Mapping[str, str],
    plan: PortPlan,
    servers: Servers,
    data_dir: DataDir,
    adjust: Adjust,
) -> int:
    """Run the cluster in a data folder that this process has claimed; return the exit code.

    Raises:
        ConfigError: The folder cannot be written to, or a server of the operator's own cannot
            be used.
        StartError: A port is in use, the disk is full, or processes of an earlier cluster do not
            end.
    """
    with data_dir.explained():
        members = adjust(plan_members(settings, environ, servers, plan, data_dir))
        console = Console(
            data_dir.log,
            ["cluster", *members.names],
            log_format=settings.log_format,
            coloured=sys.stderr.isatty() and settings.no_color is None,
        )
    stop_timeout = settings.drain_seconds + STOP_MARGIN_SECONDS
    try:
        await wait_for_leftovers(data_dir, console, stop_timeout)
        if problem := plan.taken():
            raise StartError(problem)
        for sentence in near_misses(environ, known_names()):
            console.say(sentence, "warning")
        for server in filter(None, (servers.redis, servers.balancer)):
            console.say(str(server))
        if notice := maintenance_notice(servers.balancer, settings.host):
            console.say(notice, "info" if is_loopback(settings.host) else "warning")
        watching = None
        with data_dir.explained():
            if settings.tls_cert:
                run_dir = data_dir.run
                watch = certificate_watch(servers.balancer, settings, run_dir, console.say)
                watching = watch.run()
            supervisor = Supervisor(
                members,
                plan,
                data_dir,
                console,
                stop_timeout=stop_timeout,
                well_after=settings.well_after,
            )
        say = partial(console.say, level="warning")
        return await supervisor.run(until_servers_reached(settings, data_dir, say), watching)
    finally:
        data_dir.remove_pid("cluster")
        console.close()


async def wait_for_leftovers(data_dir: DataDir, console: Console, stop_timeout: float) -> None:
    """Wait up to `stop_timeout` seconds for processes of an earlier cluster that was killed.

    Raises:
        StartError: Some of them still run.
    """
    if not (left := data_dir.leftovers()):
        return
    console.say(f"waiting for processes of an earlier cluster to end: {', '.join(left)}")
    try:
        async with asyncio.timeout(stop_timeout):
            while left := data_dir.leftovers():  # noqa: ASYNC110  they are no children of this process
                await asyncio.sleep(0.1)
    except TimeoutError as error:
        named = ", ".join(f"{name} (pid {pid})" for name, pid in left.items())
        pids = " ".join(map(str, left.values()))
        raise StartError(
            f"Processes of an earlier cluster in {data_dir.path} still run: {named}."
            f" End them with `kill {pids}`"
        ) from error


if __name__ == "__main__":
    parser = command_line("deploy.cluster", __doc__, SETTINGS)
    parser.add_argument(
        "--check",
        action="store_true",
        help="show every setting and where it comes from, say all that is wrong, start nothing",
    )
    sys.exit(check(environment()) if parser.parse_args().check else main())
