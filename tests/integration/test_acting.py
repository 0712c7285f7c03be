"""What an operator can do on the operator's ports of real processes, and who can."""

from collections.abc import Mapping
from typing import Final

import httpx
import pytest

from tests.support.answers import answer, until_ready
from tests.support.peer import Peer
from tests.support.ports import free_port
from tests.support.process import Process
from tests.support.stage import Stage

SECRET: Final = "open-sesame-" * 4
BEARER: Final = {"Authorization": f"Bearer {SECRET}"}

REFUSED: Final[list[tuple[Mapping[str, str], int, str]]] = [
    ({}, 401, "unauthorized"),
    ({"Authorization": "Bearer sesame"}, 401, "unauthorized"),
    ({**BEARER, "Origin": "https://evil.example"}, 403, "forbidden"),
    ({**BEARER, "Sec-Fetch-Site": "cross-site"}, 403, "forbidden"),
]
"""Headers that let nobody act, and how they are answered."""

RETRY: Final = "/dead-letters/retry"

REFUSE: Final = """CREATE TRIGGER refuse_{verb} BEFORE {verb} ON events
WHEN new.content = 'bad' BEGIN SELECT RAISE(ABORT, 'refused here'); END"""


def settings(stage: Stage, admin: int, **env: str) -> dict[str, str]:
    """The settings of a process with an operator's port."""
    own = {"ADMIN_PORT": str(admin), "PORT": str(free_port()), "OPERATOR_SECRET": SECRET}
    return {**stage.env, **own, **env}


async def act(
    admin: int, path: str, headers: Mapping[str, str], body: object = None
) -> httpx.Response:
    """Ask a process to do something, as soon as it answers."""
    return await answer(f"http://127.0.0.1:{admin}{path}", "POST", headers=headers, json=body)


@pytest.mark.parametrize(("headers", "status", "code"), REFUSED)
async def test_others_drain_nothing(
    stage: Stage, headers: Mapping[str, str], status: int, code: str
) -> None:
    """Without the secret, or from a page of another origin, nobody drains a gateway."""
    admin = free_port()
    async with Process("gateway", settings(stage, admin)) as gateway:
        answer = await act(admin, "/drain", headers)
        assert (answer.status_code, answer.json().get("code")) == (status, code)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{admin}") as http:
            assert (await http.get("/drain", headers=BEARER)).status_code == 405
            assert (await http.get("/health/live")).status_code == 200
        assert not gateway.ended
        assert not any("draining" in line or "ended" in line for line in gateway.said)


async def test_the_operator_drains_a_gateway(stage: Stage) -> None:
    """Who has the secret lets a gateway drain and end, as SIGTERM does."""
    admin = free_port()
    async with Process("gateway", settings(stage, admin)) as gateway:
        answer = await act(admin, "/drain", BEARER)
        assert (answer.status_code, answer.json()["draining"]) == (202, "gateway")
        await gateway.receive("gateway ended")
        await gateway.wait()
        assert not any(SECRET in line for line in gateway.said)


async def test_without_a_secret_nobody_acts(stage: Stage) -> None:
    """Where no secret is set, nothing can be done on any operator's port."""
    for module, path in (("gateway", "/drain"), ("persister", RETRY)):
        admin = free_port()
        async with Process(module, settings(stage, admin, OPERATOR_SECRET="")) as process:
            headers: Mapping[str, str]
            for headers in (BEARER, {"Authorization": "Bearer"}, {}):
                answer = await act(admin, path, headers)
                assert (answer.status_code, answer.json().get("code")) == (403, "forbidden")
            assert not process.ended


async def test_dead_letters_are_stored(stage: Stage) -> None:
    """A persister stores its dead letters for who has the secret, and says what it did."""
    admin, verbs = free_port(), ("INSERT", "UPDATE")
    async with stage.running(ADMIN_PORT=str(admin), OPERATOR_SECRET=SECRET):
        room = await stage.make()
        for verb in verbs:
            await stage.database.run(REFUSE.format(verb=verb))
        await stage.send(room, "m1", "bad")
        await stage.all_stored(room, 1)
        for headers, status, code in REFUSED:
            answer = await act(admin, RETRY, headers)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
        answer = await act(admin, RETRY, BEARER)
        [line] = answer.json()["refused"]
        assert line.endswith("still refused: refused here")
        assert (answer.status_code, answer.json()["left"]) == (200, 1)
        for verb in verbs:
            await stage.database.run(f"DROP TRIGGER refuse_{verb}")
        assert [kind for _, _, kind in await stage.stored(room)] == ["void"]
        answer = await act(admin, RETRY, BEARER)
        assert answer.json() == {"stored": 1, "left": 0, "refused": []}
        assert await stage.stored(room) == [(1, "m1", "message")]


async def test_dead_letters_without_a_broker(stage: Stage) -> None:
    """While the broker is away, a retry is refused with its code, and may be asked again."""
    admin, nobody = free_port(), free_port()
    async with stage.running():
        pass  # the database holds an installation now
    env = {"REDIS_URL": f"redis://127.0.0.1:{nobody}/0", "START_SECONDS": "0"}
    async with Process("persister", settings(stage, admin, **env)):
        answer = await act(admin, RETRY, BEARER)
        assert answer.status_code == 503
        assert answer.json()["code"] == "broker_unavailable"
        assert answer.json()["retryable"] is True


async def test_the_operator_disconnects_a_user(stage: Stage) -> None:
    """Who has the secret ends the connections of a user on all gateways, asking any of them."""
    ports = [free_port() for _ in range(4)]
    async with (
        stage.running(),
        Process("gateway", settings(stage, ports[0], PORT=str(ports[1]), GATEWAY_NAME="a")),
        Process("gateway", settings(stage, ports[2], PORT=str(ports[3]), GATEWAY_NAME="b")),
    ):
        for port in (ports[1], ports[3]):
            await until_ready(f"http://127.0.0.1:{port}")
        for admin in (ports[0], ports[2]):
            for headers, status, code in REFUSED:
                answer = await act(admin, "/disconnect", headers, {"user": "ann"})
                assert (answer.status_code, answer.json()["code"]) == (status, code)
            answer = await act(admin, "/disconnect", BEARER, {"who": "ann"})
            assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
            async with (
                Peer(f"http://127.0.0.1:{ports[1]}", "username=ann") as one,
                Peer(f"http://127.0.0.1:{ports[3]}", "username=ann") as other,
                Peer(f"http://127.0.0.1:{ports[3]}", "username=bob") as bob,
            ):
                for peer in (one, other):
                    await peer.request("getRooms")
                answer = await act(admin, "/disconnect", BEARER, {"user": "ann"})
                assert (answer.status_code, answer.json()) == (202, {"disconnecting": "ann"})
                assert (await one.closed(), await other.closed()) == (1001, 1001)
                await bob.request("getRooms")
