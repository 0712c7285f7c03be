"""A certificate that is renewed while it is in use."""

import asyncio
import json
import os
import re
import signal
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from deploy.servers.certificate import CERTIFICATE
from tests.support.answers import until_ready
from tests.support.certificates import Certificates
from tests.support.cluster import Cluster
from tests.support.ports import free_port
from tests.support.process import Process, without_haproxy
from tests.support.stage import Stage
from tests.support.valkey import Valkey
from tests.support.waiting import HANGS_AFTER, eventually


async def serial(port: int, trusting: ssl.SSLContext) -> int:
    """Return the serial number of the certificate that a new connection gets; 0 if it gets none."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
    except OSError:
        return 0
    found = writer.get_extra_info("peercert")["serialNumber"]
    writer.close()
    return int(found, 16)


async def until_served(port: int, trusting: ssl.SSLContext, number: int) -> None:
    """Wait until new connections get the certificate of that number."""

    async def served() -> bool:
        return await serial(port, trusting) == number

    await eventually(served)


async def answers(socket: ClientConnection) -> bool:
    """Whether a WebSocket that was open before is still served."""
    await socket.send(json.dumps({"event": "getRooms", "data": {}, "id": 1}))
    async with asyncio.timeout(HANGS_AFTER):
        while (frame := json.loads(await socket.recv())).get("id") != 1:
            pass
    return bool(frame["event"] == "reply")


@pytest.mark.parametrize("balancer", ["haproxy", "haproxy of the wheel", "caddy"])
async def test_the_load_balancer_takes_a_new_certificate(tmp_path: Path, balancer: str) -> None:
    """New connections get the new certificate, open ones live on; a broken one changes nothing."""
    certificates = Certificates(tmp_path)
    kind, *of_wheel = balancer.split(" ", 1)
    env = {
        "LOAD_BALANCER": kind,
        "TLS_CERT": str(certificates.chain),
        "TLS_KEY": str(certificates.key),
        "PATH": without_haproxy() if of_wheel else os.environ["PATH"],
    }
    trusting = certificates.trusting()
    async with Cluster(gateways=1, env=env) as cluster:
        await cluster.wait_line(rf" {kind} is /.*, version \d\S+ with .*\(")
        url = f"wss://127.0.0.1:{cluster.port}/ws?username=ann"
        async with connect(url, ssl=trusting) as socket:
            assert await answers(socket)
            number = certificates.renew()
            await until_served(cluster.port, trusting, number)
            assert await answers(socket)

            certificates.chain.write_bytes(certificates.chain.read_bytes()[:300])
            await cluster.wait_line("TLS_CERT=.* cannot be used .* from before is used on")
            assert await serial(cluster.port, trusting) == number
            assert await answers(socket)

        # One that starts again has what the one before it had.
        await cluster.wait_restarted(kind, cluster.kill(kind, signal.SIGKILL))
        await until_served(cluster.port, trusting, number)
        assert await seconds_left(cluster) > 0


async def test_the_expiry_is_of_the_certificate_in_use(tmp_path: Path) -> None:
    """A certificate that the load balancer does not take leaves the one before, and its expiry."""
    certificates = Certificates(tmp_path)
    number = certificates.renew(datetime.now(UTC) + timedelta(days=2))
    env = {
        "LOAD_BALANCER": "haproxy",
        "TLS_CERT": str(certificates.chain),
        "TLS_KEY": str(certificates.key),
        "PATH": without_haproxy(),
    }
    async with Cluster(gateways=1, env=env) as cluster:
        certificates.renew(copies=20)  # more than HAProxy reads on its socket
        await cluster.wait_line("the new certificate is not in use yet, and is tried again")
        assert await serial(cluster.port, certificates.trusting()) == number
        assert 0 < await seconds_left(cluster) < timedelta(days=3).total_seconds()


async def test_a_certificate_that_cannot_be_written(tmp_path: Path) -> None:
    """A certificate that finds no place, as on a full disk, is taken once there is one."""
    certificates = Certificates(tmp_path)
    env = {"TLS_CERT": str(certificates.chain), "TLS_KEY": str(certificates.key)}
    async with Cluster(gateways=1, env=env) as cluster:
        in_the_way = cluster.data_dir / "run" / CERTIFICATE
        in_the_way.unlink()
        in_the_way.mkdir()
        number = certificates.renew()
        await cluster.wait_line("the new certificate is not in use yet, and is tried again")
        in_the_way.rmdir()
        await until_served(cluster.port, certificates.trusting(), number)


async def seconds_left(cluster: Cluster) -> float:
    """Return the seconds that the certificate in use is valid, as the gauge says."""
    text = await metrics(cluster.admin_port)
    left = re.search(r"^parley_certificate_expires_seconds (\S+)", text, re.MULTILINE)
    assert left is not None
    return float(left[1])


async def metrics(port: int) -> str:
    """Return the metrics on an operator's port, once something answers there."""
    async with httpx.AsyncClient() as http:

        async def ask() -> str:
            try:
                answer = await http.get(f"http://127.0.0.1:{port}/metrics")
            except httpx.TransportError:
                return ""
            return answer.text if answer.status_code == 200 else ""

        return await eventually(ask)


async def test_a_gateway_takes_a_new_certificate(tmp_path: Path) -> None:
    """New connections to a gateway get its new certificate, and open ones live on."""
    certificates = Certificates(tmp_path)
    trusting = certificates.trusting()
    async with Valkey() as server:
        stage = Stage(server, tmp_path)
        port = free_port()
        own = {"PORT": str(port), "TLS_CERT": str(certificates.chain)}
        env = {**stage.env, **own, "TLS_KEY": str(certificates.key)}
        async with stage.persister(), Process("gateway", env) as gateway:
            await until_ready(f"https://127.0.0.1:{port}", trusting)
            url = f"wss://127.0.0.1:{port}/ws?username=ann"
            async with connect(url, ssl=trusting) as socket:
                assert await answers(socket)
                number = certificates.renew()
                await until_served(port, trusting, number)
                assert await answers(socket)

                certificates.key.write_text("-----BEGIN PRIVATE KEY-----")

                async def told() -> bool:
                    return any("from before is used on" in line for line in gateway.said)

                await eventually(told)
                assert await serial(port, trusting) == number
                assert await answers(socket)
        await stage.close()
