"""The second seed's REST interface, through the load balancer."""

import re
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal
from tests.support.schemathesis import schemathesis

_users = count(1_000_000)


@pytest_asyncio.fixture
async def http(cluster: Cluster) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the load balancer."""
    async with httpx.AsyncClient(base_url=cluster.url) as client:
        yield client


async def test_post_chats(cluster: Cluster, http: httpx.AsyncClient) -> None:
    """`POST /chats` answers 201 with the pair's one chat, and both users hear of a new one."""
    one, other = next(_users), next(_users)
    async with Peer(cluster.gateway_url(1)) as ann, Peer(cluster.gateway_url(2)) as bob:
        await ann.request("userOnline", one)
        await bob.request("userOnline", other)
        made = await http.post("/chats", json={"user1Id": one, "user2Id": other})
        assert made.status_code == 201
        chat = made.json()
        assert chat.keys() == {"id", "user1Id", "user2Id", "createdAt"}
        assert (chat["user1Id"], chat["user2Id"]) == (one, other)
        for peer in (ann, bob):
            assert (await peer.next("newChat"))["data"] == chat
        again = await http.post("/chats", json={"user1Id": other, "user2Id": one})
        assert (again.status_code, again.json()) == (201, chat)


async def test_get_chats(http: httpx.AsyncClient) -> None:
    """A chat is found by its id and in the list of either user; nobody's list is empty."""
    one, other = next(_users), next(_users)
    chat = (await http.post("/chats", json={"user1Id": one, "user2Id": other})).json()
    found = await http.get(f"/chats/{chat['id']}")
    assert (found.status_code, found.json()) == (200, chat)
    for user in (one, other):
        [listed] = (await http.get(f"/chats/user/{user}")).json()
        assert listed == {**chat, "unread": 0, "lastMessage": None}
    nobody = await http.get(f"/chats/user/{next(_users)}")
    assert (nobody.status_code, nobody.json()) == (200, [])


async def test_delete_chat(cluster: Cluster, http: httpx.AsyncClient) -> None:
    """A deleted chat is gone for both with what it held; the pair's next chat has a new id."""
    one, other = next(_users), next(_users)
    async with Peer(cluster.gateway_url(1)) as ann, Peer(cluster.gateway_url(2)) as bob:
        await ann.request("userOnline", one)
        await bob.request("userOnline", other)
        data = {"senderId": one, "receiverId": other, "content": "secret"}
        chat = (await ann.request("sendMessage", data))["chatId"]
        gone = await http.delete(f"/chats/{chat}")
        assert (gone.status_code, gone.content) == (200, b"")
        for peer in (ann, bob):
            assert (await peer.next("chatDeleted"))["data"] == {"id": chat}
        assert (await http.get(f"/chats/{chat}")).status_code == 404
        assert (await http.delete(f"/chats/{chat}")).status_code == 404
        assert (await http.get(f"/chats/user/{one}")).json() == []
        with pytest.raises(Refusal) as refusal:
            await ann.request("getMessages", chat)
        assert refusal.value.code == "not_found"
        reply = await bob.request(
            "sendMessage", {"senderId": other, "receiverId": one, "content": "anew"}
        )
        assert reply["chatId"] != chat
        assert reply["seq"] == 1
        for peer in (ann, bob):
            assert (await peer.next("newChat"))["data"]["id"] == reply["chatId"]
            assert (await peer.next("newMessage"))["data"]["content"] == "anew"
        await ann.request("getMessages", reply["chatId"])
        shown = (await ann.next("loadMessages"))["data"]
        assert [message["content"] for message in shown] == ["anew"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", "/chats/99", None, 404, "Chat with ID 99 not found"),
        ("DELETE", "/chats/99", None, 404, "Chat with ID 99 not found"),
        ("GET", "/chats/abc", None, 400, None),
        ("GET", "/chats/0", None, 400, None),
        ("GET", f"/chats/{2**70}", None, 400, None),
        ("GET", "/chats/-1", None, 400, None),
        ("DELETE", "/chats/1.5", None, 400, None),
        ("GET", "/chats/user/%20", None, 400, None),
        ("GET", "/chats/user/a%00b", None, 400, None),
        ("POST", "/chats", b"", 400, None),
        ("POST", "/chats", b"[]", 400, None),
        ("POST", "/chats", b'{"user1Id": 1}', 400, None),
        ("POST", "/chats", b'{"user1Id": 1, "user2Id": true}', 400, None),
        ("POST", "/chats", b"[" * 60_000, 400, None),
        ("POST", "/chats", b" " * 70_000, 413, None),
        ("PUT", "/chats/1", b"{}", 405, None),
        ("GET", "/nowhere", None, 404, None),
    ],
)
async def test_errors(
    http: httpx.AsyncClient,
    method: str,
    path: str,
    body: bytes | None,
    status: int,
    message: str | None,
) -> None:
    """Every error is `{statusCode, error, message}` with the status of HTTP."""
    answer = await http.request(method, path, content=body)
    assert answer.status_code == status
    error = answer.json()
    assert error.keys() == {"statusCode", "error", "message"}
    assert error["statusCode"] == status
    assert error["error"]
    assert error["message"] == message or (message is None and error["message"])


async def test_docs_need_nothing_from_outside(http: httpx.AsyncClient) -> None:
    """`/docs` and all it loads come from the gateway itself."""
    page = await http.get("/docs")
    assert page.status_code == 200
    assert "//" not in page.text
    assets = re.findall(r'(?:src|href)="(docs/[^"]+)"', page.text)
    assert {"docs/start.js", "docs/viewer/swagger_bundle.js"} < set(assets)
    for asset in (*assets, "openapi.json"):
        assert (await http.get(f"/{asset}")).status_code == 200
    # Of the viewer's package nothing else is served.
    for hidden in ("docs/viewer/templates.py", "docs/viewer/redoc.js", "docs/viewer/../app.py"):
        assert (await http.get(f"/{hidden}")).status_code == 404


async def test_schemathesis_finds_nothing(cluster: Cluster, tmp_path: Path) -> None:
    """Whatever requests the OpenAPI document allows or forbids, the answers are as it says."""
    # Tickets are for AUTH_MODE=jwt: `test_identity.py` tries them.
    said = await schemathesis(cluster, tmp_path, "--exclude-path", "/tickets")
    assert "No issues found" in said
