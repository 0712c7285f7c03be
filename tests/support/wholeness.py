"""A check that a cluster has recovered from a test that damaged it."""

import asyncio
import math
import re

import httpx
import psutil

from deploy.ports import Address
from deploy.processes.probes import http_probe, until_all_answer
from tests.support.cluster import Cluster
from tests.support.waiting import HANGS_AFTER, eventually

OUT_OF_ORDER = {psutil.STATUS_ZOMBIE, psutil.STATUS_STOPPED}
POLLING = {"EIO": "4", "transport": "polling"}


async def until_whole(cluster: Cluster) -> None:
    """Wait until every process runs, each gateway is ready, and clients are sent to all of them.

    Raises:
        AssertionError: It was not so in time; the text ends with what the cluster said last.
    """
    ports = range(cluster.port, cluster.port + cluster.gateways + 1)
    probes = {f"{port}": http_probe(Address("127.0.0.1", port), "/health/ready") for port in ports}

    async def all_run() -> bool:
        started = (re.search(r" (\S+) started \(pid (\d+)\)", line) for line in cluster.lines)
        latest = {match[1]: int(match[2]) for match in started if match}
        return all(map(_runs, latest.values()))

    try:
        async with asyncio.timeout(HANGS_AFTER):
            await eventually(all_run, math.inf)
            await until_all_answer(probes, cluster.lines.append)
            await _until_balanced(cluster)
    except TimeoutError as error:
        raise AssertionError("\n    ".join(["not whole again:", *cluster.lines[-40:]])) from error


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() not in OUT_OF_ORDER
    except psutil.NoSuchProcess:
        return False


async def _until_balanced(cluster: Cluster) -> None:
    without_clients = {f"gateway-{n + 1}" for n in range(cluster.gateways)}
    async with httpx.AsyncClient(base_url=cluster.url) as http:

        async def balanced() -> bool:
            opened = await http.get("/socket.io/", params=POLLING)
            # The id of a session begins with the name of its gateway.
            without_clients.discard(opened.text.removeprefix('0{"sid":"').partition(".")[0])
            return not without_clients

        await eventually(balanced, math.inf)
