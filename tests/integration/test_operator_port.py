"""The operator's port of a process by itself."""

import socket

import httpx

from tests.support.answers import answer
from tests.support.metrics import scrape
from tests.support.ports import free_port
from tests.support.process import Process, run
from tests.support.stage import Stage
from tests.support.waiting import eventually


async def test_a_gateway_without_a_broker(stage: Stage) -> None:
    """A gateway that cannot serve says only that to clients, and to its operator what it lacks."""
    port, admin, nobody = (free_port() for _ in range(3))
    env = {**stage.env, "PORT": str(port), "ADMIN_PORT": str(admin), "START_SECONDS": "0"}
    env["REDIS_URL"] = f"redis://127.0.0.1:{nobody}/0"
    async with Process("gateway", env), httpx.AsyncClient() as http:
        public = await answer(f"http://127.0.0.1:{port}/health/ready")
        assert (public.status_code, public.json()) == (503, {"status": "not ready"})
        ready = await http.get(f"http://127.0.0.1:{admin}/health/ready")
        assert (ready.status_code, ready.json()) == (503, {"waitsFor": "the broker"})
        status = (await http.get(f"http://127.0.0.1:{admin}/status.json")).json()
        assert status["redis"] is None
        assert {each["open"] for each in status["partitions"]} == {None}
        assert (await scrape(admin))["parley_ready"] == 0


async def test_a_broker_that_may_lose_what_it_accepts(stage: Stage) -> None:
    """An operator is told which settings of Redis do not keep what it accepts."""
    port, admin = free_port(), free_port()
    env = {**stage.env, "PORT": str(port), "ADMIN_PORT": str(admin), "START_SECONDS": "0"}
    await stage.server.admin.config_set("appendfsync", "everysec")
    try:
        async with Process("gateway", env) as gateway, httpx.AsyncClient() as http:
            await gateway.receive("gateway starts")

            async def doubts() -> list[str]:
                try:
                    status = (await http.get(f"http://127.0.0.1:{admin}/status.json")).json()
                except httpx.TransportError:
                    return []
                found: list[str] = status["redis"]["doubts"] if status["redis"] else []
                return found

            [doubt] = await eventually(doubts)
            assert doubt.startswith("appendfsync is everysec: ")
    finally:
        await stage.server.admin.config_set("appendfsync", "always")


async def test_a_port_that_is_taken(stage: Stage) -> None:
    """A process whose operator's port another has ends with one sentence that names it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        admin = str(taken.getsockname()[1])
        env = {**stage.env, "PORT": str(free_port()), "ADMIN_PORT": admin}
        for module in ("gateway", "persister"):
            code, _, said = await run(module, env=env)
            assert (code, said) == (
                1,
                f"ADMIN_PORT={admin} cannot be used: Address already in use\n",
            )


async def test_a_host_that_is_none(stage: Stage) -> None:
    """An ADMIN_HOST that names no machine is refused like any broken setting."""
    env = {**stage.env, "ADMIN_PORT": str(free_port()), "ADMIN_HOST": "no such host"}
    for module in ("gateway", "persister"):
        code, _, said = await run(module, env=env)
        assert (code, said.count("\n")) == (2, 1)
        assert said.startswith("ADMIN_HOST=no such host is not valid: ")
