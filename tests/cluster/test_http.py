"""HTTP as clients and proxies know it: slashes, redirects, HEAD, OPTIONS, bodies."""

from collections.abc import AsyncIterator
from itertools import count
from urllib.parse import urljoin

import httpx
import psutil
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect

from tests.support.cluster import Cluster
from tests.support.waiting import HANGS_AFTER

_users = count(3_000_000)
PROXIES = {"Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}


@pytest_asyncio.fixture(params=["balancer", "gateway-1", "gateway-2"])
async def http(
    cluster: Cluster, request: pytest.FixtureRequest
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the load balancer, and of each gateway."""
    place = str(request.param)
    url = cluster.url if place == "balancer" else cluster.gateway_url(int(place[-1]))
    async with httpx.AsyncClient(base_url=url) as client:
        yield client


async def _chat(http: httpx.AsyncClient) -> dict[str, int]:
    made = await http.post("/chats", json={"user1Id": next(_users), "user2Id": next(_users)})
    chat: dict[str, int] = made.json()
    return chat


async def test_a_slash_at_the_end_changes_nothing(http: httpx.AsyncClient) -> None:
    """A path with a slash at its end answers as without it, at once."""
    chat = await _chat(http)
    for path in (
        f"/chats/user/{chat['user1Id']}",
        f"/chats/{chat['id']}",
        "/chats/99",
        "/health/live",
        "/health/ready",
        "/openapi.json",
        "/nowhere",
    ):
        with_slash, without = await http.get(f"{path}/"), await http.get(path)
        assert (with_slash.status_code, with_slash.text) == (without.status_code, without.text)
    [listed] = (await http.get(f"/chats/user/{chat['user1Id']}/")).json()
    assert listed["id"] == chat["id"]
    pair = {"user1Id": chat["user1Id"], "user2Id": chat["user2Id"]}
    assert (await http.post("/chats/", json=pair)).json() == chat
    assert (await http.delete(f"/chats/{chat['id']}/")).status_code == 200
    assert (await http.get(f"/chats/{chat['id']}")).status_code == 404


async def test_names_with_slashes(http: httpx.AsyncClient) -> None:
    """A name that has or ends with a slash is reached with `%2F`, and is no other name."""
    other = next(_users)
    name = f"a/{other}/"
    await http.post("/chats", json={"user1Id": name, "user2Id": other})
    path = f"/chats/user/a%2F{other}"
    for found in (f"{path}%2F", f"{path}%2F/"):
        [listed] = (await http.get(found)).json()
        assert name in (listed["user1Id"], listed["user2Id"])
    assert (await http.get(path)).json() == []
    assert (await http.get("/chats/user/%ff")).status_code == 400


async def test_sockets_with_a_slash_more_or_less(http: httpx.AsyncClient) -> None:
    """`/ws/` and `/socket.io` are answered as `/ws` and `/socket.io/` are."""
    answer = await http.get("/socket.io?EIO=4&transport=polling")
    assert (answer.status_code, answer.text[:2]) == (200, "0{")
    url = str(http.base_url).replace("http", "ws", 1).rstrip("/")
    async with connect(
        f"{url}/socket.io?EIO=4&transport=websocket", open_timeout=HANGS_AFTER
    ) as io:
        assert str(await io.recv()).startswith("0{")
    async with connect(f"{url}/ws/?welcome=1", open_timeout=HANGS_AFTER) as ws:
        assert '"welcome"' in str(await ws.recv())


@pytest.mark.parametrize("path", ["/docs/", "/docs/?a=1"])
async def test_redirects_are_relative(http: httpx.AsyncClient, path: str) -> None:
    """A redirect names no host and no scheme, and stays below the prefix of a proxy."""
    answer = await http.get(path, headers=PROXIES)
    assert answer.status_code == 307
    place = answer.headers["location"]
    assert (
        urljoin("https://example.org/team/chat/docs/", place)
        == "https://example.org/team/chat/docs"
    )
    assert (await http.get(path, follow_redirects=True)).text == (await http.get("/docs")).text


@pytest.mark.parametrize(
    "path",
    ["/chat", "/chat/", "/client", "/docs//", "//evil.example/", "/ws", "/chats/", "/nowhere/"],
)
async def test_no_other_redirects(http: httpx.AsyncClient, path: str) -> None:
    """No other path redirects, wherever its slashes stand and whatever `Host` says."""
    url = str(http.base_url).rstrip("/") + path
    for headers, statuses in ((PROXIES, {421}), ({"Host": "localhost"}, {404, 405})):
        answer = await http.get(url, headers=headers)
        assert answer.status_code in statuses
        assert answer.json()["statusCode"] == answer.status_code
        assert "evil" not in str(answer.headers)


async def test_head(http: httpx.AsyncClient) -> None:
    """HEAD answers with the headers of GET and no body, on every path that has GET."""
    chat = await _chat(http)
    for path in (
        *("/", "/docs", "/openapi.json", "/chat/app.js", "/client/parley.js", "/docs/start.js"),
        *("/health/live", "/health/ready", "/nowhere", "/chats/99", "/chats/abc"),
        *(f"/chats/{chat['id']}", f"/chats/user/{chat['user1Id']}", "/chats/user/1?limit=x"),
    ):
        got, head = await http.get(path), await http.head(path)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        for name in ("content-length", "content-type", "etag", "link", "content-security-policy"):
            assert head.headers.get(name) == got.headers.get(name), (path, name)
    for path in ("/chats", "/tickets"):
        refused = await http.head(path)
        assert (refused.status_code, refused.content) == (405, b"")
        assert refused.headers["allow"] == "OPTIONS, POST"


METHODS = {
    "/chats": "OPTIONS, POST",
    "/chats/": "OPTIONS, POST",
    "/tickets": "OPTIONS, POST",
    "/chats/1": "DELETE, GET, HEAD, OPTIONS",
    "/chats/user/1": "GET, HEAD, OPTIONS",
    "/": "GET, HEAD, OPTIONS",
    "/docs": "GET, HEAD, OPTIONS",
    "/openapi.json": "GET, HEAD, OPTIONS",
    "/chat/app.js": "GET, HEAD, OPTIONS",
    "/client/parley.js": "GET, HEAD, OPTIONS",
    "/health/ready": "GET, HEAD, OPTIONS",
}


@pytest.mark.parametrize("path", METHODS)
async def test_options(http: httpx.AsyncClient, path: str) -> None:
    """OPTIONS says what may be asked of a path; a method that may not is 405 and says the same."""
    asked = await http.options(path)
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers["allow"] == METHODS[path]
    for method in ("PUT", "PATCH", "TRACE"):
        refused = await http.request(method, path)
        assert (refused.status_code, refused.headers["allow"]) == (405, METHODS[path])
        assert refused.json()["statusCode"] == 405


async def test_options_of_nothing(http: httpx.AsyncClient) -> None:
    """OPTIONS of a path that does not exist is 404, in JSON as every error."""
    answer = await http.options("/nowhere")
    assert (answer.status_code, answer.json()["error"]) == (404, "Not Found")


async def test_preflight_of_other_pages(http: httpx.AsyncClient) -> None:
    """A preflight of a page of an origin that is not allowed gets 403, without CORS headers."""
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "HEAD"}
    answer = await http.options("/chats/1", headers=headers)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "the body is empty"),
        (b" \r\n\t", "the body is empty"),
        (b'{"user1Id": 1', "the body is not JSON"),
        (b"user1Id=1&user2Id=2", "the body is not JSON"),
        (b"{'user1Id': 1}", "the body is not JSON"),
        (b'{"user1Id": NaN, "user2Id": 2}', "the body is not JSON"),
        (b'{"user1Id": "\xff"}', "the body is not UTF-8 (byte 13)"),
        ('{"user1Id": 1}'.encode("utf-16"), "the body is not UTF-8 (byte 0)"),
        (b"\x1f\x8b\x08\x00", "the body is not UTF-8"),
        (b"[]", "the body is not a JSON object"),
        (b'"ann"', "the body is not a JSON object"),
        (b"7", "the body is not a JSON object"),
        (b"[" * 60_000, "the body is nested too deeply"),
        (b"null", "`user1Id`"),
        (b"{}", "`user1Id`"),
        (b'{"user1Id": 1}', "`user2Id`"),
        (b'{"user1Id": null, "user2Id": 2}', "`user1Id`"),
        (b'{"user1Id": 1, "user2Id": true}', "at `user2Id`"),
        (b'{"user1Id": 1.5, "user2Id": 2}', "at `user1Id`"),
        (b'{"user1Id": 1, "user2Id": -2}', "at `user2Id`"),
        (b'{"user1Id": 1, "user2Id": 9007199254740992}', "at `user2Id`"),
        (b'{"user1Id": 1, "user2Id": ' + b"9" * 5000 + b"}", "at `user2Id`"),
        (b'{"user1Id": 1, "user2Id": ""}', "at `user2Id`"),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_bodies_that_are_refused(http: httpx.AsyncClient, body: bytes, text: str) -> None:
    """The error of a body says what is wrong with it, or which field is at fault."""
    answer = await http.post("/chats", content=body)
    assert answer.status_code == 400
    assert text in answer.json()["message"]
    assert "data." not in answer.json()["message"]


@pytest.mark.parametrize(
    "kind",
    [
        *(
            "application/json",
            "application/json; charset=utf-8",
            'Application/JSON; Charset="UTF8"',
        ),
        *(
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/vnd.api+json",
            "nonsense",
        ),
    ],
)
async def test_types_of_bodies(http: httpx.AsyncClient, kind: str) -> None:
    """A body is read as JSON whatever its type says, with a byte order mark or without."""
    one, other = next(_users), next(_users)
    text = f'{{"user1Id": "{one}", "user2Id": {other}.0}}'
    for body in (text.encode(), text.encode("utf-8-sig")):
        made = await http.post("/chats", content=body, headers={"Content-Type": kind})
        assert made.status_code == 201
        assert (made.json()["user1Id"], made.json()["user2Id"]) == (one, other)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Encoding": "gzip"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json; charset=nonsense"},
    ],
)
async def test_encodings_that_are_not_read(
    http: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    """A body that is compressed, or in another character set than UTF-8, is 415."""
    answer = await http.post("/chats", content=b"{}", headers=headers)
    assert answer.status_code == 415
    assert "without `Content-Encoding`" in answer.text or "UTF-8" in answer.text


async def test_unknown_character_sets_are_forgotten(cluster: Cluster) -> None:
    """A gateway keeps nothing of the names of character sets that it does not know."""
    gateway = psutil.Process(cluster.pid("gateway-1"))
    async with httpx.AsyncClient(base_url=cluster.gateway_url(1)) as http:
        for number in range(550):
            if number == 50:  # those before fill what is used again
                before = gateway.memory_info().rss
            kind = f"application/json; charset={'x' * 16_000}{number}"
            answer = await http.post("/chats", content=b"{}", headers={"Content-Type": kind})
            assert answer.status_code == 415
    assert gateway.memory_info().rss - before < 4_000_000
