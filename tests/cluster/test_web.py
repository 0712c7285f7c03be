"""The pages and the JavaScript client that every gateway serves."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.support.cluster import Cluster
from tests.support.peer import Peer

PAGES = ("/", "/docs", "/chat/app.js", "/chat/style/base.css", "/client/parley.js")


@pytest_asyncio.fixture
async def http(cluster: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the load balancer."""
    async with httpx.AsyncClient(base_url=cluster.url) as client:
        yield client


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_may_do_little(http: httpx.AsyncClient, path: str) -> None:
    """Pages run their own scripts and styles only, speak to their own server only, frame nobody."""
    response = await http.get(path)
    assert response.status_code == 200
    policy = response.headers["content-security-policy"]
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert allowed["default-src"] == allowed["base-uri"] == allowed["frame-ancestors"] == "'none'"
    assert {allowed[f"{kind}-src"] for kind in ("script", "style", "connect")} == {"'self'"}
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"


async def test_pages_have_nothing_inline_and_nothing_from_outside(http: httpx.AsyncClient) -> None:
    """What the chat page loads comes from the gateway, and its markup holds no script or style."""
    text = (await http.get("/")).text
    assert "<style" not in text
    assert "style=" not in text
    assert "<script>" not in text
    assert "//" not in text.replace("<!doctype", "")


async def test_files_are_asked_for_again_and_sent_once(http: httpx.AsyncClient) -> None:
    """A browser asks each time, and gets 304 for what it has."""
    first = await http.get("/client/parley.js")
    assert first.headers["cache-control"] == "no-cache"
    again = await http.get("/client/parley.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "content-security-policy" in again.headers


async def test_other_origins_may_import_the_client(http: httpx.AsyncClient) -> None:
    """The client is for every page; the chat page's own files are not."""
    client = await http.get("/client/parley.js", headers={"Origin": "http://elsewhere.example"})
    assert client.headers["access-control-allow-origin"] == "*"
    assert "javascript" in client.headers["content-type"]
    page = await http.get("/chat/app.js", headers={"Origin": "http://elsewhere.example"})
    assert "access-control-allow-origin" not in page.headers
    assert (await http.get("/client/../app.py")).status_code == 404
    assert (await http.get("/client/%2e%2e/%2e%2e/app.py")).status_code == 404


async def test_a_client_that_asks_is_welcomed(cluster: Cluster) -> None:
    """With `?welcome=1` the first frame says where one is; without it nothing does."""
    async with Peer(cluster.gateway_url(2), "welcome=1&username=ann") as ann:
        welcome = await ann.next("welcome")
        assert ann.frames[0] == welcome
        assert welcome["data"]["gateway"] == "gateway-2"
        assert welcome["data"]["sid"].startswith("gateway-2.")
        assert welcome["data"]["maxContent"] == 4000
    async with Peer(cluster.gateway_url(2), "username=bob") as bob:
        await bob.request("setUsername", "bob")
        assert not bob.all("welcome")
