"""Servers answer for their own hosts only, so a page whose name is pointed at them reads nothing.

The name is `evil.example`. To its browser, such a page and the server have the same origin.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.security.raw import RawSocket
from tests.support.answers import until_ready
from tests.support.cluster import Cluster
from tests.support.ports import free_port
from tests.support.process import Process
from tests.support.stage import Stage
from tests.support.valkey import Valkey

EVIL = "evil.example"
PUBLIC = "chat.example.org"
POLLING = "/socket.io/?EIO=4&transport=polling"

PATHS = (
    ("GET", "/"),
    ("GET", "/chat/index.html"),
    ("GET", "/chats/user/ann"),
    ("POST", "/chats"),
    ("GET", POLLING),
    ("GET", "/nowhere"),
)
OPERATOR_PATHS = (("GET", "/"), ("GET", "/status.json"), ("GET", "/metrics"))


async def ask(
    port: int, host: str, path: str = "/", method: str = "GET", origin: str = ""
) -> httpx.Response:
    """Ask a server on this machine as if its host had that name."""
    headers = {"Host": host, **({"Origin": origin} if origin else {})}
    async with httpx.AsyncClient() as http:
        return await http.request(method, f"http://127.0.0.1:{port}{path}", headers=headers)


async def handshake(port: int, host: str, path: str, origin: str) -> int:
    """Ask for a WebSocket by the name of a host; return the status of the answer."""
    url = f"ws://{host}:{port}{path}"
    try:
        async with connect(url, host="127.0.0.1", port=port, origin=origin):  # type: ignore[arg-type]
            return 101
    except InvalidStatus as error:
        return error.response.status_code


def says_what_to_do(answer: httpx.Response) -> bool:
    """Whether a refusal is in JSON, names the setting, and repeats nothing of the request."""
    said = answer.json()["message"]
    return "PUBLIC_URL" in said and EVIL not in answer.text


async def test_rebinding_to_a_cluster(cluster: Cluster) -> None:
    """A page whose name is pointed at a cluster on loopback reads no chat and no status."""
    for port in (cluster.port, cluster.gateway_port(1)):
        evil = f"{EVIL}:{port}"
        for method, path in PATHS:
            answer = await ask(port, evil, path, method, origin=f"http://{evil}")
            assert answer.status_code == 421, path
            assert says_what_to_do(answer)
        for path in ("/ws", "/socket.io/?EIO=4&transport=websocket"):
            assert await handshake(port, EVIL, path, f"http://{evil}") == 421
            assert await handshake(port, "localhost", path, f"http://localhost:{port}") == 101
        assert (await ask(port, f"localhost:{port}")).status_code == 200
    for port in (cluster.admin_port, cluster.admin_port + 1):
        for method, path in OPERATOR_PATHS:
            answer = await ask(port, f"{EVIL}:{port}", path, method)
            assert answer.status_code == 421, path
            assert says_what_to_do(answer)
            assert (await ask(port, f"127.0.0.1:{port}", path, method)).status_code == 200
    answer = await ask(persister := cluster.admin_port + 101, EVIL, "/metrics")
    assert answer.status_code == 421
    assert "PUBLIC_URL" in answer.text
    assert (await ask(persister, "localhost", "/metrics")).status_code == 200


async def test_health_checks_by_any_name(cluster: Cluster) -> None:
    """A load balancer may ask for the health of a server by whatever name it has for it."""
    gateway, persister = cluster.admin_port + 1, cluster.admin_port + 101
    for port in (cluster.port, cluster.gateway_port(1), gateway, persister):
        assert (await ask(port, EVIL, "/health/live")).status_code == 200
    with RawSocket(cluster.gateway_port(1)) as socket:
        socket.send(b"GET /health/ready HTTP/1.0\r\n\r\n")
        assert b" 200 OK" in socket.rest()


@pytest.mark.parametrize("lines", ["", "Host: localhost\r\nHost: localhost\r\n", "Host: a b\r\n"])
def test_hosts_that_are_none(cluster: Cluster, lines: str) -> None:
    """A request without a Host header, with two of them or with a broken one is refused."""
    request = f"GET / HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode()
    for port in (cluster.gateway_port(1), cluster.admin_port + 1, cluster.admin_port + 101):
        path = b"/metrics" if port == cluster.admin_port + 101 else b"/"
        with RawSocket(port) as socket:
            socket.send(request.replace(b"/", path, 1))
            assert socket.rest().split(b" ")[1] == b"400"


@asynccontextmanager
async def behind_an_open_balancer(
    folder: Path, **settings: str
) -> AsyncIterator[tuple[int, Process]]:
    """Run a gateway as behind a load balancer that other machines reach; yield its port."""
    async with AsyncExitStack() as stack:
        stage = Stage(await stack.enter_async_context(Valkey()), folder)
        stack.push_async_callback(stage.close)
        port = free_port()
        env = {**stage.env, "PORT": str(port), "BALANCER_HOST": "192.0.2.7", "ALLOW_OPEN": "yes"}
        await stack.enter_async_context(stage.running())
        gateway = await stack.enter_async_context(Process("gateway", {**env, **settings}))
        await until_ready(f"http://127.0.0.1:{port}")
        yield port, gateway


async def test_without_a_public_url(tmp_path: Path) -> None:
    """A server that is open to others answers for addresses, and for no name until it has one."""
    async with behind_an_open_balancer(tmp_path) as (port, gateway):
        for host in ("192.0.2.7:8080", "[2001:db8::1]", "localhost"):
            assert (await ask(port, host)).status_code == 200, host
        for host in (PUBLIC, f"{EVIL}:{port}", "192.0.2.7.evil.example"):
            answer = await ask(port, host)
            assert answer.status_code == 421, host
            assert says_what_to_do(answer)
        assert PUBLIC in await gateway.receive("host_refused")


async def test_with_a_public_url(tmp_path: Path) -> None:
    """With PUBLIC_URL a server answers for its host only, whatever origins are allowed."""
    public = f"https://{PUBLIC}"
    settings = {"PUBLIC_URL": public, "ALLOWED_ORIGINS": "self,https://app.example"}
    async with behind_an_open_balancer(tmp_path, **settings) as (port, _):
        for host in (PUBLIC, f"{PUBLIC}:{port}", "127.0.0.1"):
            assert (await ask(port, host, "/chats/user/ann")).status_code == 200, host
        for host in (EVIL, "192.0.2.7", f"a.{PUBLIC}"):
            assert (await ask(port, host, "/chats/user/ann")).status_code == 421, host
        assert await handshake(port, EVIL, "/ws", f"http://{EVIL}:{port}") == 421
        assert await handshake(port, PUBLIC, "/ws", "https://app.example") == 101
        # A proxy in front may ask for another host than the browser did.
        assert await handshake(port, "localhost", "/ws", public) == 101
        assert await handshake(port, "localhost", "/ws", f"http://{EVIL}") == 403
