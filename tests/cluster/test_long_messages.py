"""Any message that is not too long gets through, however it is written; what is larger does not."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.cluster.test_socketio_packets import CONNECT, said, session
from tests.security.doors import DOORS, Door, enter
from tests.support.cluster import Cluster
from tests.support.peer import Peer, Refusal, Wire
from tests.support.process import run

MAX_CONTENT = 16_000
MAX_FRAME = 12 * MAX_CONTENT + 8192

TEXTS = {
    "characters of two escapes each": "\N{GRINNING FACE}" * MAX_CONTENT,
    "characters of one escape each": "\N{CJK UNIFIED IDEOGRAPH-4E00}" * MAX_CONTENT,
    "control characters": "\x01" * (4 * MAX_CONTENT // 6),
    "quotes": '"' * MAX_CONTENT,
}


@pytest_asyncio.fixture(scope="module")
async def generous() -> AsyncIterator[Cluster]:
    """A cluster that takes the longest messages there may be, with the least outbox for them."""
    env = {"MAX_CONTENT": str(MAX_CONTENT), "OUTBOX_LIMIT": str(6 * MAX_CONTENT + 8192)}
    async with Cluster(env=env) as running:
        yield running


async def received(peer: Peer, room: str, count: int) -> str:
    """The content of the newest of so many messages of a room."""
    found: str = (await peer.until(count, "message", room))[-1]["content"]
    return found


async def test_every_way_to_write_a_message(generous: Cluster, room: str, wire: Wire) -> None:
    """A message of MAX_CONTENT characters reaches both gateways' clients, and its sender lives.

    The frames of `Peer` have every character outside ASCII as an escape.
    """
    async with (
        Peer(generous.gateway_url(1), "username=ann&welcome=1", wire=wire) as ann,
        Peer(generous.gateway_url(2), "username=bob") as bob,
    ):
        welcome = (await ann.next("welcome"))["data"]
        assert (welcome["maxContent"], welcome["maxFrame"]) == (MAX_CONTENT, MAX_FRAME)
        await ann.request("createRoom", {"name": room})
        for peer in (ann, bob):
            await peer.request("joinRoom", {"room": room})
        for count, (name, text) in enumerate(TEXTS.items(), 1):
            await ann.request("message", {"room": room, "content": text})
            for peer in (ann, bob):
                assert await received(peer, room, count) == text, name
        for text in ("x" * (MAX_CONTENT + 1), TEXTS["control characters"] + "\x01"):
            sent = {"senderId": "ann", "receiverId": "bob", "content": text}
            for event, data in (
                ("message", {"room": room, "content": text}),
                ("sendMessage", sent),
            ):
                with pytest.raises(Refusal) as refused:
                    await ann.request(event, data)
                assert refused.value.code == "too_long"


async def test_over_socketio(generous: Cluster, room: str) -> None:
    """The same holds for Socket.IO, by WebSocket and by polling; its handshake says the limit."""
    url = generous.gateway_url(2)
    text = TEXTS["characters of two escapes each"]
    event = json.dumps(["message", {"room": room, "content": text}])
    async with Peer(generous.gateway_url(1), "username=ann") as ann:
        await ann.request("createRoom", {"name": room})
        await ann.request("joinRoom", {"room": room})
        async with session(url) as socket:
            await socket.send(CONNECT)
            await socket.send(f'421["joinRoom",{{"room":"{room}"}}]')
            await said(socket, "431[")
            await socket.send(f"422{event}")
            assert '"seq"' in await said(socket, "432[")
        assert await received(ann, room, 1) == text
        async with httpx.AsyncClient(base_url=url, timeout=20) as http:
            path = "/socket.io/?EIO=4&transport=polling"
            opened = json.loads((await http.get(path)).text[1:])
            assert opened["maxPayload"] == MAX_FRAME
            path += f"&sid={opened['sid']}"
            for packet in (CONNECT, f'421["joinRoom",{{"room":"{room}"}}]', f"422{event}"):
                assert (await http.post(path, content=packet)).text == "ok"
        assert await received(ann, room, 2) == text


@pytest.mark.parametrize("door", DOORS)
async def test_one_message_larger_than_a_page(generous: Cluster, room: str, door: Door) -> None:
    """A message that is larger than a page may be comes alone, and ends nobody's connection."""
    text = TEXTS["characters of two escapes each"]
    async with Peer(generous.gateway_url(1), "username=ann") as ann:
        await ann.request("createRoom", {"name": room})
        await ann.request("joinRoom", {"room": room})
        for _ in range(5):
            await ann.request("message", {"room": room, "content": text})
    async with enter(door, generous.gateway_url(2)) as lea:
        joined = await lea.request("joinRoom", {"room": room})
        [newest] = (await lea.next("messageHistory", room=room))["data"]
        assert (newest["content"], newest["seq"], joined["next"]) == (text, 5, 5)
        page = await lea.request("history", {"room": room, "after": 0})
        assert ([item["seq"] for item in page["items"]], page["next"]) == ([1], 1)
        await lea.request("getRooms")
        assert lea.close_code is None


async def test_a_frame_too_large_ends_its_connection(generous: Cluster, cluster: Cluster) -> None:
    """A frame above `maxFrame` closes its connection with 1009, and nobody else's."""
    for where, limit in ((cluster, 65_536), (generous, MAX_FRAME)):
        async with Peer(where.gateway_url(1)) as other, Peer(where.gateway_url(1)) as peer:
            await peer.raw("x" * limit)
            assert (await peer.next("error"))["data"]["code"] == "bad_frame"
            await peer.raw("x" * (limit + 1))
            assert await peer.closed() == 1009
            assert await other.request("getRooms") == {}


async def test_rest_takes_as_much(generous: Cluster) -> None:
    """The body of a REST request may have as many bytes as a frame, and no more."""
    async with httpx.AsyncClient(base_url=generous.gateway_url(1), timeout=20) as http:
        pair = b'{"user1Id":"ann","user2Id":"bob"}'
        assert (await http.post("/chats", content=pair.ljust(MAX_FRAME))).status_code == 201
        assert (await http.post("/chats", content=pair.ljust(MAX_FRAME + 1))).status_code == 413


@pytest.mark.parametrize("program", ["gateway", "persister", "deploy.cluster"])
async def test_limits_that_do_not_fit_together(program: str) -> None:
    """With outboxes too small for its messages, a program ends with one sentence and code 2."""
    env = {"MAX_CONTENT": "16000", "OUTBOX_LIMIT": "65536"}
    code, _, told = await run(program, env=env)
    assert (code, told.count("\n")) == (2, 1)
    assert told.startswith("OUTBOX_LIMIT=65536 is too small for MAX_CONTENT=16000: ")
