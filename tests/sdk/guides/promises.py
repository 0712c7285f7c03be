"""What the guides promise, seen by somebody who does what they say."""

import re
import urllib.parse
from pathlib import Path

import httpx

from parley_chat import ChatClient, Message
from tests.integration.clients.python.listening import until
from tests.sdk.guides.pages import EXAMPLES
from tests.sdk.guides.reader import Reader
from tests.support.waiting import HANGS_AFTER


async def first_chat(reader: Reader, page: Path) -> None:
    """The chat page is served; two terminals talk, also while a gateway is killed."""
    kill = None
    async for step in reader.follow(page):
        if "make run-cluster" in step.code:
            async with httpx.AsyncClient() as http:
                assert "<parley-app" in (await http.get(reader.machine.cluster.url)).text
        if "kill" in step.code:
            kill = step
            await reader.machine.gateways_ready()
    assert kill is not None
    *_, ann, bob = reader.programs
    ann.type("hello\r")
    await bob.wait_for("ann: hello")
    bob.type("hello yourself\r")
    await ann.wait_for("bob: hello yourself")
    await reader.run(kill)
    ann.type("am I still here?\r")
    await bob.wait_for(r"ann: am I still here\?")
    await reader.machine.gateways_ready()


async def dice(reader: Reader, page: Path) -> None:
    """A bot answers `!roll`, and still does so when each gateway has been killed."""
    async for _ in reader.follow(page):
        pass
    cluster = reader.machine.cluster
    urls = [cluster.gateway_url(number) for number in (1, 2)]
    async with ChatClient(urls, username="ann") as ann:
        await ann.join_room("general")
        await ann.send("general", "!roll 3d1")
        assert await rolled(ann) == "ann rolled 1, 1, 1"
        for gateway in ("gateway-1", "gateway-2"):
            cluster.kill(gateway)
            await reader.machine.gateways_ready()
        await ann.send("general", "!roll 2d1")
        assert await rolled(ann) == "ann rolled 1, 1"


async def rolled(client: ChatClient) -> str:
    """Return what the bot says next."""
    message, _ = await until(client, Message, lambda message: message.sender == "dice")
    return message.content


async def answering_machine(reader: Reader, page: Path) -> None:
    """Who writes to the user gets an answer."""
    async for _ in reader.follow(page):
        pass
    *_, ann = reader.programs
    ann.type("are you there?\r")
    await ann.wait_for(r"bob: I am away, but I got: are you there\?")


async def reference_client(reader: Reader, page: Path) -> None:
    """Two terminals talk in a room and directly."""
    async for _ in reader.follow(page):
        pass
    *_, ann, bob = reader.programs
    ann.type("hello\n")
    await bob.wait_for(r"^\[garden\] ann: hello")
    bob.type("@ann hello yourself\n")
    await ann.wait_for(r"^\[\d+\] bob: hello yourself")


async def react(reader: Reader, page: Path) -> None:
    """The page and all its modules are served, and a build succeeds."""
    await reader.machine.stock(reader.folder)
    async for _ in reader.follow(page):
        pass
    *_, server = reader.programs
    url = (await server.wait_for(r"Local: +(http://\S+)/"))[1]
    seen = await modules(url)
    assert {"/src/main.jsx", "/src/App.jsx", "/src/Room.jsx"} <= seen.keys()
    assert reader.machine.cluster.url in seen["/src/App.jsx"]
    assert any("/parley-chat_react.js" in path for path in seen), list(seen)
    await reader.machine.run("npm run build", reader.folder)
    assert list(reader.folder.glob("dist/assets/*.js"))


async def modules(url: str) -> dict[str, str]:
    """Load a page and each module that it imports, as a browser does; return them by path."""
    seen: dict[str, str] = {}
    left = ["/"]
    async with httpx.AsyncClient(timeout=HANGS_AFTER) as http:
        while left:
            place = left.pop()
            path = urllib.parse.urlsplit(place).path
            if path in seen:
                continue
            answer = await http.get(url + place)
            assert answer.is_success, f"{place}: {answer.text}"
            seen[path] = answer.text
            names = re.findall(
                r"""(?:\bfrom|\bimport|\bsrc=)\s*["']([./][^"'\n]*)["']""", answer.text
            )
            left += [urllib.parse.urljoin(place, name) for name in names]
    return seen


async def server_rendering(reader: Reader, page: Path) -> None:
    """The server answers with a page that has its content, and the modules that take it over."""
    await reader.machine.stock(reader.folder)
    async for _ in reader.follow(page):
        pass
    seen = await modules(f"http://127.0.0.1:{reader.machine.web_port}")
    assert re.search(r"<h1>News</h1>.*idle, loading", seen["/"])
    assert reader.machine.cluster.url in seen["/src/Page.jsx"]


async def widget(reader: Reader, page: Path) -> None:
    """The page is served, and the cluster gives it the client; Chromium has a test of its own."""
    async for _ in reader.follow(page):
        pass
    origin = f"http://127.0.0.1:{reader.machine.web_port}"
    async with httpx.AsyncClient() as http:
        html = (await http.get(origin)).text
        assert html == reader.machine.here((EXAMPLES / "widget/index.html").read_text())
        (client,) = re.findall(r'from "(.*)"', html)
        answer = await http.get(client, headers={"Origin": origin})
    assert client.startswith(reader.machine.cluster.url)
    assert answer.headers["Access-Control-Allow-Origin"] in {"*", origin}
    assert "export" in answer.text
