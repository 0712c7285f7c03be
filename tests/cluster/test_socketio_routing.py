"""A polling session stays on its gateway, whichever the load balancer would choose."""

import asyncio
import signal
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.cluster import Cluster
from tests.support.lender import Lender

POLLING = {"EIO": "4", "transport": "polling"}


@pytest.fixture(scope="module", params=["haproxy", "caddy"])
async def lender(request: pytest.FixtureRequest) -> AsyncIterator[Lender]:
    """What has a cluster behind each load balancer."""
    async with Lender(LOAD_BALANCER=request.param, DRAIN_SECONDS="4") as lender:
        yield lender


async def opened(http: httpx.AsyncClient) -> dict[str, str]:
    """Open a session; the query of its further requests."""
    answer = await http.get("/socket.io/", params=POLLING)
    assert answer.text.startswith('0{"sid":"')
    return POLLING | {"sid": answer.text.split('"')[3]}


async def connected(http: httpx.AsyncClient, query: dict[str, str]) -> None:
    """Connect a session to the namespace by its POSTs and GETs."""
    assert (await http.post("/socket.io/", params=query, content="40")).text == "ok"
    assert (await http.get("/socket.io/", params=query)).text.startswith('40{"sid":"')


async def is_down(cluster: Cluster) -> bool:
    """Whether gateway 1 does not listen."""
    try:
        async with httpx.AsyncClient() as http:
            await http.get(f"{cluster.gateway_url(1)}/health/live")
    except httpx.TransportError:
        return True
    return False


async def test_a_session_stays_on_its_gateway(sturdy: Cluster) -> None:
    """Requests go where the sid says; once that gateway is gone the session is unknown."""
    async with httpx.AsyncClient(base_url=sturdy.url, timeout=20) as http:
        queries = await asyncio.gather(*(opened(http) for _ in range(20)))
        gateways = {query["sid"].split(".")[0] for query in queries}
        assert gateways == {"gateway-1", "gateway-2"}
        await asyncio.gather(*(connected(http, query) for query in queries))

        query = next(query for query in queries if query["sid"].startswith("gateway-1."))
        sturdy.kill("gateway-1")
        answer = await http.get("/socket.io/", params=query)
        print(f"answered {answer.status_code} by the other gateway: {await is_down(sturdy)}")
        assert answer.status_code == 400
        assert answer.json() == {"code": 1, "message": "Session ID unknown"}
        # A client begins anew then, and finds a gateway.
        await connected(http, await opened(http))


async def test_a_session_of_a_leaving_gateway(sturdy: Cluster) -> None:
    """It hears `reconnect`, and is closed by its gateway, though that one is not ready any more."""
    async with (
        httpx.AsyncClient(base_url=sturdy.url, timeout=40) as http,
        httpx.AsyncClient(base_url=sturdy.gateway_url(1)) as gateway,
    ):
        sessions = [await opened(gateway) for _ in range(3)]
        for query in sessions:
            await connected(http, query)
        sturdy.kill("gateway-1", signal.SIGTERM)

        async def until_closed(query: dict[str, str]) -> str:
            received = ""
            while not received.endswith("\x1e1") and received != "1":
                answer = await http.get("/socket.io/", params=query)
                assert answer.status_code == 200, answer.text
                received = f"{received}\x1e{answer.text}".strip("\x1e")
                if answer.text == "2":
                    await http.post("/socket.io/", params=query, content="3")
            return received

        for received in await asyncio.gather(*map(until_closed, sessions)):
            assert '42["reconnect",{"afterMs":' in received


async def test_a_session_that_does_not_poll_at_its_end(sturdy: Cluster) -> None:
    """A client that is between two polls when the last session ends hears of it by its next one."""
    async with httpx.AsyncClient(base_url=sturdy.gateway_url(1), timeout=40) as http:
        query = await opened(http)
        await connected(http, query)
        sturdy.kill("gateway-1", signal.SIGTERM)
        told = ""
        while "reconnect" not in told:
            told = (await http.get("/socket.io/", params=query)).text
        assert '42["reconnect",{"afterMs":0}]' in told
        await asyncio.sleep(1.2)  # a second after `afterMs` the gateway ends the session itself
        while told != "1":
            answer = await http.get("/socket.io/", params=query)
            assert answer.status_code == 200, answer.text
            told = answer.text
