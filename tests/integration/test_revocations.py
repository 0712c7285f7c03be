"""Revocations while the database is away: what gateways know of them, and what commands say."""

import json
import shutil
from pathlib import Path

from tests.support.answers import answer
from tests.support.peer import Peer
from tests.support.ports import free_port
from tests.support.process import Process, run
from tests.support.stage import Stage
from tests.support.tokens import JWT, token
from tests.support.waiting import eventually


async def ask(port: int, path: str, shown: str = "") -> tuple[int, str]:
    """Ask a gateway, once it answers: the status and the text of the answer."""
    headers = {"Authorization": f"Bearer {shown}"} if shown else {}
    url = f"http://127.0.0.1:{port}{path}"
    found = await answer(url, "POST" if shown else "GET", headers=headers)
    return found.status_code, found.text


async def test_a_gateway_that_starts_without_sql(stage: Stage, tmp_path: Path) -> None:
    """It accepts no token, retryably, and is not ready; once SQL is there, it judges them."""
    port, shown = free_port(), token("ann", jti="stolen")
    missing = tmp_path / "missing" / "parley.db"
    env = {**stage.env, **JWT, "PORT": str(port), "DATABASE_URL": f"sqlite:///{missing}"}
    async with stage.storing():
        await run("persister", "revoke", "--jti", "stolen", env={**stage.env, **JWT})
        async with Process("gateway", env):
            status, said = await ask(port, "/tickets", token("ann"))
            assert (status, "which tokens are revoked cannot be read" in said) == (503, True)
            async with Peer(f"http://127.0.0.1:{port}", token=token("ann")) as peer:
                assert (await peer.next("error"))["data"]["code"] == "storage_unavailable"
                assert await peer.closed() == 1013
            assert (await ask(port, "/health/ready"))[0] == 503
            copy = tmp_path / "copy"
            copy.mkdir()
            for file in stage.database.path.parent.glob("parley.db*"):
                shutil.copy(file, copy)
            copy.rename(missing.parent)

            async def known() -> bool:
                return (await ask(port, "/tickets", token("bob")))[0] == 201

            assert await eventually(known)
            assert (await ask(port, "/tickets", shown))[0] == 401
            # What it knows, it goes on with.
            missing.parent.rename(copy)
            missing.parent.mkdir()
            missing.write_text("this is no database " * 100)
            async with Peer(f"http://127.0.0.1:{port}", token=token("bob")) as peer:
                assert await peer.request("getRooms") == {}
            assert (await ask(port, "/tickets", shown))[0] == 401


BREAK_OFF = """CREATE TRIGGER break_off BEFORE INSERT ON revocations
BEGIN SELECT as_if_the_connection_broke(); END"""
"""Lets the database fail in the middle of a command, with an error of its operation."""


async def test_a_command_that_breaks_off(stage: Stage, tmp_path: Path) -> None:
    """A command that an outage ended is in the trail, as all of it may have been done."""
    file = tmp_path / "security.log"
    env = {**stage.env, **JWT, "SECURITY_LOG": str(file)}
    async with stage.storing():
        await stage.database.run(BREAK_OFF)
        code, _, said = await run("persister", "revoke", "--jti", "stolen", env=env)
    assert (code, "cannot be reached: " in said) == (1, True), said
    line = json.loads(file.read_text())
    found = (line["event"], line["action"], line["on"], line["error"])
    assert found == ("operator_action", "revoke", "token stolen", "storage_unavailable")
