"""TLS: to the load balancer, to a gateway, and to Redis."""

import asyncio
import json
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.support.answers import until_ready
from tests.support.certificates import Certificates
from tests.support.cluster import Cluster
from tests.support.ports import free_port
from tests.support.process import Process, run
from tests.support.stage import Stage
from tests.support.valkey import Valkey
from tests.support.waiting import HANGS_AFTER, eventually

PUBLIC = "https://chat.example.org"


async def ask(socket: ClientConnection, event: str, data: dict[str, Any]) -> dict[str, Any]:
    """Send a frame, and return its answer."""
    await socket.send(json.dumps({"event": event, "data": data, "id": 1}))
    async with asyncio.timeout(HANGS_AFTER):
        while (frame := json.loads(await socket.recv())).get("id") != 1:
            pass
    found: dict[str, Any] = frame
    return found


async def speaks(port: int, ciphers: str) -> bool:
    """Whether a server on this machine agrees to one of these cipher suites of TLS 1.2."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers)
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    except (ssl.SSLError, ConnectionError):
        return False
    writer.close()
    return True


async def speaks_good_ciphers_only(port: int) -> bool:
    """Whether TLS 1.2 works with authenticated encryption, and with CBC does not."""
    good, weak = "ECDHE-ECDSA-AES128-GCM-SHA256", ("AES128-SHA256", "AES256-SHA384", "AES128-SHA")
    answers = [await speaks(port, f"ECDHE-ECDSA-{each}") for each in weak]
    return await speaks(port, good) and not any(answers)


@pytest.mark.parametrize("balancer", ["haproxy", "caddy"])
async def test_a_cluster_behind_tls(certificates: Certificates, balancer: str) -> None:
    """With TLS_CERT the load balancer serves https and wss, and nothing in the clear."""
    env = {"TLS_CERT": str(certificates.chain), "TLS_KEY": str(certificates.key)}
    env["PUBLIC_URL"] = PUBLIC
    async with Cluster(gateways=1, env={**env, "LOAD_BALANCER": balancer}) as cluster:
        assert cluster.stdout == [f"cluster ready: https://127.0.0.1:{cluster.port}"]
        trusting = certificates.trusting()
        url = f"wss://127.0.0.1:{cluster.port}/ws?username=ann"
        async with connect(url, ssl=trusting) as socket:
            assert (await ask(socket, "createRoom", {"name": "r"}))["event"] == "reply"
        async with httpx.AsyncClient(verify=trusting) as http:
            page = await http.get(f"https://127.0.0.1:{cluster.port}/")
            assert page.status_code == 200
            assert "strict-transport-security" not in page.headers
            page = await http.get(page.url, headers={"Host": "chat.example.org"})
            assert page.headers["strict-transport-security"] == "max-age=31536000"
        assert await speaks_good_ciphers_only(cluster.port)
        async with httpx.AsyncClient() as http:
            with pytest.raises(httpx.ConnectError, match="certificate"):
                await http.get(f"https://127.0.0.1:{cluster.port}/")
            try:
                clear = await http.get(f"{cluster.url}/health/live")
            except httpx.TransportError:
                pass
            else:
                assert clear.status_code == 400
        together = cluster.data_dir / "run" / "tls.pem"
        assert together.stat().st_mode & 0o077 == 0


async def test_a_gateway_and_redis_over_tls(certificates: Certificates, tmp_path: Path) -> None:
    """A gateway speaks TLS to its clients by itself, and to Redis; so does a persister."""
    async with Valkey() as server, certificates.in_front_of(server.port) as front:
        stage = Stage(server, tmp_path)
        redis = f"rediss://127.0.0.1:{front}/0?ssl_ca_certs={certificates.authority}"
        port = free_port()
        env = {
            **stage.env,
            "REDIS_URL": redis,
            "PORT": str(port),
            "TLS_CERT": str(certificates.together),
            "PUBLIC_URL": PUBLIC,
        }
        trusting = certificates.trusting()
        url = f"https://127.0.0.1:{port}"
        async with (
            stage.persister(REDIS_URL=redis),
            Process("gateway", env),
            httpx.AsyncClient(verify=trusting) as http,
        ):
            await until_ready(url, trusting)
            assert await speaks_good_ciphers_only(port)
            page = await http.get(f"{url}/chat/index.html")
            assert "strict-transport-security" not in page.headers
            page = await http.get(page.url, headers={"Host": "chat.example.org"})
            assert page.headers["strict-transport-security"] == "max-age=31536000"
            async with connect(f"wss://127.0.0.1:{port}/ws?username=ann", ssl=trusting) as socket:
                for event, data in (
                    ("createRoom", {"name": "r"}),
                    ("joinRoom", {"room": "r"}),
                    ("message", {"room": "r", "content": "x" * 4000}),
                ):
                    assert (await ask(socket, event, data))["event"] == "reply"

            async def stored() -> bool:
                return bool(await stage.database.value("SELECT content FROM events"))

            await eventually(stored)
        await stage.close()


async def test_a_redis_that_is_somebody_else(certificates: Certificates, tmp_path: Path) -> None:
    """A server whose certificate nobody vouches for gets no password and no message."""
    async with Valkey() as server, certificates.in_front_of(server.port) as front:
        stage = Stage(server, tmp_path)
        env = {**stage.env, "REDIS_URL": f"rediss://:canary@127.0.0.1:{front}/0"}
        async with Process("gateway", {**env, "PORT": str(free_port())}) as gateway:
            assert await gateway.wait() == 2
            assert "is not trusted (unable to get local issuer certificate)" in gateway.said[-1]
            assert not [line for line in gateway.said if "canary" in line]
        await stage.close()


@pytest.mark.parametrize("what", ["missing", "no key", "locked"])
async def test_certificates_that_cannot_be_used(
    certificates: Certificates, tmp_path: Path, what: str
) -> None:
    """A certificate without its key is refused by one sentence, by a cluster and by a gateway."""
    env = {"DATA_DIR": str(tmp_path), "TLS_CERT": str(certificates.chain)}
    if what == "missing":
        env["TLS_CERT"] = str(tmp_path / "nowhere.pem")
    if what == "locked":
        env["TLS_KEY"] = str(certificates.locked)
    for module in ("gateway", "deploy.cluster"):
        code, _, said = await run(module, env=env)
        assert (code, said.count("\n")) == (2, 1), said
        assert said.startswith(f"TLS_CERT={env['TLS_CERT']} ")


async def test_a_broken_authority_for_redis(tmp_path: Path) -> None:
    """A REDIS_URL that names a file which cannot be read is refused as the process starts."""
    missing = tmp_path / "nowhere.pem"
    env = {"REDIS_URL": f"rediss://:canary@127.0.0.1:1/0?ssl_ca_certs={missing}"}
    env["DATABASE_URL"] = f"sqlite+aiosqlite:///{tmp_path / 'parley.db'}"
    for module in ("gateway", "persister"):
        code, _, said = await run(module, env=env)
        assert (code, said.count("\n")) == (2, 1), said
        assert said.startswith("REDIS_URL names certificates that cannot be used: ")
        assert "canary" not in said
