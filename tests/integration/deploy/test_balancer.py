"""The load balancers as they are configured, in front of servers that say who they are."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.ports import PortPlan
from deploy.servers.balancer import SOFT_STOP
from tests.integration.deploy.balanced import UPGRADE, Setup, balanced
from tests.support.waiting import HANGS_AFTER


@pytest.fixture(params=["haproxy", "caddy"])
async def setup(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Setup]:
    async with balanced(request.param, tmp_path) as ready:
        yield ready


async def test_every_gateway_is_used(setup: Setup) -> None:
    """Requests without a session are shared by all gateways."""
    assert set(await setup.answers("/who")) == {"gateway-1", "gateway-2"}


@pytest.mark.parametrize("name", ["gateway-1", "gateway-2"])
async def test_a_session_stays_on_its_gateway(setup: Setup, name: str) -> None:
    """A polling session goes to the gateway that its sid begins with, every time."""
    assert set(await setup.answers(f"/socket.io/?EIO=4&sid={name}.Xy-1")) == {name}


@pytest.mark.parametrize("sid", ["gateway-9.a", "nonsense", ".", "%20"])
async def test_an_unknown_session_reaches_some_gateway(setup: Setup, sid: str) -> None:
    """A sid that names no gateway is for a gateway to refuse, not for the load balancer."""
    assert set(await setup.answers(f"/socket.io/?sid={sid}")) <= {"gateway-1", "gateway-2"}


async def test_a_gateway_that_is_not_ready_is_spared(setup: Setup) -> None:
    """A gateway that says it is not ready gets no requests, until it says it is."""
    setup.upstreams[0].ready = False
    await setup.until_only("gateway-2")
    setup.upstreams[0].ready, setup.upstreams[1].ready = True, False
    await setup.until_only("gateway-1")


async def test_gateways_that_live_answer_when_none_is_ready(setup: Setup) -> None:
    """While no gateway is ready, requests still reach one, which can say why it refuses."""
    for upstream in setup.upstreams:
        upstream.ready = False
    async with asyncio.timeout(HANGS_AFTER):
        while (await setup.client.get("/health/ready")).status_code == 200:  # noqa: ASYNC110  asks
            await asyncio.sleep(0.05)
    answer = await setup.client.get("/health/ready")
    assert (answer.status_code, answer.text[:8]) == (503, "gateway-")
    assert set(await setup.answers("/who", times=5)) <= {"gateway-1", "gateway-2"}


async def test_no_request_fails_when_a_gateway_dies(setup: Setup) -> None:
    """From the moment a gateway is killed, all requests are answered by the other."""
    await setup.answers("/who")
    setup.upstreams[0].die()
    assert set(await setup.answers("/who", times=50)) == {"gateway-2"}


async def test_the_clients_address_is_passed_on(setup: Setup) -> None:
    """A gateway learns from X-Forwarded-For who the client is."""
    await setup.answers("/who", times=1)
    heads = setup.upstreams[0].heads + setup.upstreams[1].heads
    assert "x-forwarded-for: 127.0.0.1" in heads[0].lower()


@pytest.mark.parametrize("kind", ["haproxy", "caddy"])
@pytest.mark.parametrize(("trusted", "said"), [("", False), ("10.0.0.0/8,127.0.0.1", True)])
async def test_whom_the_balancer_believes(
    tmp_path: Path,
    kind: str,
    trusted: str,
    said: bool,  # noqa: FBT001
) -> None:
    """Where a client says it comes from is passed on only of a trusted proxy."""
    async with balanced(kind, tmp_path, TRUSTED_PROXIES=trusted) as setup:
        answer = await setup.client.get("/who", headers={"X-Forwarded-For": "203.0.113.9"})
        assert answer.status_code == 200
        (head,) = setup.upstreams[0].heads + setup.upstreams[1].heads
        assert ("203.0.113.9" in head) is said
        assert "127.0.0.1" in head


async def test_a_request_that_does_not_come(tmp_path: Path) -> None:
    """Either load balancer closes a connection that says nothing, or only half of its request."""

    async def ends(plan: PortPlan, said: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*plan.balancer)
        writer.write(said)
        async with asyncio.timeout(HANGS_AFTER):
            answer = await reader.read()
        writer.close()
        return answer

    async with (
        balanced("haproxy", tmp_path / "haproxy") as haproxy,
        balanced("caddy", tmp_path / "caddy") as caddy,
    ):
        answers = await asyncio.gather(
            *(ends(each.plan, said) for each in (haproxy, caddy) for said in (b"", UPGRADE[:-2]))
        )
        assert not any(b" 200 " in answer or b" 101 " in answer for answer in answers)


async def test_a_long_data_folder_is_no_obstacle(tmp_path: Path) -> None:
    """HAProxy starts where the path of its control socket is longer than a socket's may be."""
    async with balanced("haproxy", tmp_path / ("long" * 30)) as setup:
        assert await setup.answers("/who", times=1)


async def test_haproxy_stops_softly(tmp_path: Path) -> None:
    """Told to stop, HAProxy takes no new connection and keeps those it has to their end."""
    async with balanced("haproxy", tmp_path) as setup:
        assert setup.process is not None
        reader, writer = await setup.tunnel()
        setup.process.send_signal(SOFT_STOP["haproxy"])
        await setup.until_refused()
        writer.write(b"still here")
        assert await reader.readexactly(10) == b"still here"
        writer.close()
        assert await asyncio.wait_for(setup.process.wait(), HANGS_AFTER) == 0


async def test_caddy_keeps_connections_until_it_is_stopped(tmp_path: Path) -> None:
    """A WebSocket through Caddy is closed as going away (1001) only when Caddy itself ends."""
    async with balanced("caddy", tmp_path) as setup:
        assert setup.process is not None
        reader, writer = await setup.tunnel()
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        setup.process.send_signal(signal.SIGTERM)
        # The server behind it echoes what it is told, which may come first.
        assert (await reader.read()).endswith(b"\x88\x02" + (1001).to_bytes(2))
        assert await asyncio.wait_for(setup.process.wait(), HANGS_AFTER) == 0
