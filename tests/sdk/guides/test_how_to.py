"""The code of the how-to guides, against real clusters."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final, NamedTuple

import pytest
import pytest_asyncio

from parley_chat import ChatClient
from tests.sdk.guides.machine import Machine, end_cluster
from tests.sdk.guides.pages import HOW_TO, guides, steps
from tests.sdk.guides.terminal import Terminal
from tests.support.cluster import Cluster
from tests.support.process import ROOT

HERE: Final = {"move-from-socketio", "sign-users-in", "use-rest"}
ELSEWHERE: Final = {
    "add-an-event": "tests/integration/new_kind/__init__.py",
    "moderate-a-room": "tests/integration/clients/python/test_bans.py",
    "serve-the-chat-page": "tests/browser/identity.test.js",
}
"""The tests of pages whose code does not run here."""

NODE: Final = "node --experimental-websocket --disable-warning=ExperimentalWarning"
SITE: Final = "const real = fetch; globalThis.fetch = (path) => real(new URL(path, '{site}'));\n"
"""Gives Node what a page has: a site of its own, which answers for `/chat-token`."""


class SignIn(NamedTuple):
    """A cluster that takes tokens, and an application that hands them out.

    Attributes:
        url: The cluster.
        token: A token that names ann.
        site: The application, which gives that token to everybody.
    """

    url: str
    token: str
    site: str


@pytest_asyncio.fixture(scope="module")
async def sign_in(machine: Machine) -> AsyncIterator[SignIn]:
    """A cluster and a token, made by pasting the guide about tokens into a shell."""
    plan = Cluster(data_dir=machine.folder / "tokens", root=machine.checkout)
    settings = {"PORT": str(plan.port), "DATA_DIR": str(plan.data_dir), "PS1": "paste here:"}
    shell = Terminal(["bash", "--norc", "--noediting"], machine.checkout, machine.env | settings)
    start, chat, *_ = steps(HOW_TO / "sign-users-in.md")
    await shell.start()
    try:
        shell.type(start.code)
        await shell.wait_for("cluster ready: ")
        shell.type(chat.code.replace("http://127.0.0.1:8080", plan.url))
        await shell.wait_for("you are in general")
        await shell.wait_for("general>")
        shell.type("hello\r")
        await shell.wait_for("ann: hello")
        shell.type("/quit\r")
        await shell.wait_for(r"ann: hello(?s:.*)paste here:")
        shell.type("echo token=$PARLEY_TOKEN=\n")
        token = (await shell.wait_for(r"token=([\w.-]+)="))[1]
        with handing_out(token) as site:
            yield SignIn(plan.url, token, site)
    finally:
        await end_cluster(plan)
        await shell.stop()


@contextmanager
def handing_out(token: str) -> Iterator[str]:
    """An application whose `/chat-token` answers with a token."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/chat-token" else 404)
            self.end_headers()
            self.wfile.write(token.encode())

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@asynccontextmanager
async def running(machine: Machine, folder: Path, code: str, site: str) -> AsyncIterator[Terminal]:
    """Run a module in a folder as if it were on a page of a site."""
    (folder / "site.mjs").write_text(SITE.format(site=site))
    (folder / "page.mjs").write_text(code)
    command = [*NODE.split(), "--import", "./site.mjs", "page.mjs"]
    terminal = Terminal(command, folder, machine.env)
    await terminal.start()
    try:
        yield terminal
    finally:
        await terminal.stop()


@pytest.mark.parametrize("name", guides(HOW_TO))
def test_every_page_has_a_test(name: str) -> None:
    """A how-to guide is tested here, or by a test that names its page."""
    if name not in HERE:
        assert name in ELSEWHERE, f"test docs/how-to/{name}.md, and say where"
        assert f"docs/how-to/{name}.md" in (ROOT / ELSEWHERE[name]).read_text()


async def test_sign_users_in(machine: Machine, folder: Path, sign_in: SignIn) -> None:
    """A page signs in with the token that its application hands out."""
    await machine.once("make clients\n")
    install = "npm install ../parley/dist/parley-chat-0.1.0.tgz"
    await machine.run(install, folder)
    code = javascript("sign-users-in")[0].replace("https://chat.example.org", sign_in.url)
    async with running(machine, folder, code, sign_in.site) as page:
        await page.wait_for("signed in as ann")


async def test_a_socketio_client_with_a_name(machine: Machine, folder: Path) -> None:
    """A client of Socket.IO with only its address changed joins a room and shows its messages."""
    await machine.once("make run-cluster\n")
    await machine.general_is_there()
    code = machine.here(javascript("move-from-socketio")[0])
    code = code.replace("if (reply.error)", 'console.log("joined"); if (reply.error)')
    link_socketio(folder)
    async with (
        running(machine, folder, code, "http://unused") as page,
        ChatClient(machine.cluster.url, username="bob", listen=False) as bob,
    ):
        await bob.join_room("general")
        await page.wait_for("^joined$")
        await bob.send("general", "hello")
        await page.wait_for("^bob hello$")


async def test_a_socketio_client_with_a_token(
    machine: Machine, folder: Path, sign_in: SignIn
) -> None:
    """A client of Socket.IO signs in with a fresh token, and is told why a bad one is refused."""
    link_socketio(folder)
    code = javascript("move-from-socketio")[1].replace("https://chat.example.org", sign_in.url)
    code += 'socket.on("connect", () => console.log("connected"));\n'
    async with running(machine, folder, code, sign_in.site) as page:
        await page.wait_for("^connected$")
    with handing_out(f"{sign_in.token}x") as site:
        async with running(machine, folder, code, site) as page:
            assert re.match(r"unauthorized .", (await page.wait_for("^unauthorized.*$"))[0])


async def test_chats_over_rest(machine: Machine, folder: Path) -> None:
    """The commands of the guide make a chat of two users, and list it."""
    start, requests, *_ = steps(HOW_TO / "use-rest.md")
    assert start.code == "make run-cluster &\n"
    await machine.once("make run-cluster\n")
    shell = await machine.run(machine.here(requests.code), folder)
    await shell.wait_for(r'^{"id":\d+,"user1Id":1,"user2Id":2,.*}\[{"id":\d+,.*"user2Id":2,.*}\]')


def javascript(name: str) -> list[str]:
    """The blocks of a how-to guide in JavaScript."""
    return [step.code for step in steps(HOW_TO / f"{name}.md") if step.language == "js"]


def link_socketio(folder: Path) -> None:
    """Let code in a folder import socket.io-client."""
    (folder / "node_modules").symlink_to(ROOT / "tests" / "socketio" / "node_modules")
