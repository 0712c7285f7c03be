"""The terminal chat of the installed wheel, with its extra and without."""

import re

from parley_chat import ChatClient
from tests.integration.clients.python.listening import messages_until
from tests.integration.clients.python.terminals import Tty
from tests.sdk.python.installed import Environment
from tests.support.cluster import Cluster

PROGRAMS = (("parley-chat",), ("python", "-m", "parley_chat"))


async def test_help(plain: Environment, full: Environment) -> None:
    """With the extra and without, `--help` tells the options and ends well."""
    for environment in (plain, full):
        for program in PROGRAMS:
            code, out, err = await environment.run(*program, "--help")
            assert (code, err) == (0, "")
            assert "usage: parley-chat" in out


async def test_without_the_extra(plain: Environment) -> None:
    """Without the extra it says in one error_text what to install."""
    for program in PROGRAMS:
        code, out, err = await plain.run(*program, "http://127.0.0.1:9", "--name", "ann")
        assert (code, out) == (1, "")
        assert re.fullmatch(r".*pip install prompt-toolkit\n", err)


async def test_on_pipes(full: Environment, cluster: Cluster, room: str) -> None:
    """With the extra, lines from a pipe are said in a room."""
    arguments = (cluster.url, "--name", "ann", "--room", room, "--create")
    code, out, err = await full.run("parley-chat", *arguments, typed="hello\n")
    assert (code, err) == (0, "")
    assert f"you are in {room}" in out


async def test_in_a_terminal(full: Environment, cluster: Cluster, room: str) -> None:
    """With the extra, a line typed in a terminal is a message to the room."""
    tty = Tty()
    arguments = (cluster.url, "--name", "ann", "--room", room, "--create")
    async with (
        full.running("parley-chat", *arguments, **tty.streams) as process,
        ChatClient(cluster.url, username="bob") as bob,
    ):
        await tty.wait_for(f"{room}>")
        await bob.join_room(room)
        tty.type("hello\r")
        assert (await messages_until(bob, "hello"))[-1].sender == "ann"
        tty.type("/quit\r")
        assert await process.wait() == 0
