"""Whatever a client sends, it gets a coded error, and its connection lives."""

import json
from typing import Any

import msgpack
import pytest

from tests.support.cluster import Cluster
from tests.support.peer import Peer


def said(content: str) -> str:
    """A JSON frame with `content` written as it stands."""
    return f'{{"event":"message","data":{{"room":"lobby","content":{content}}}}}'


BAD_JSON: dict[str, tuple[bytes | str, str]] = {
    "not JSON": ("hello", "bad_frame"),
    "nothing": ("", "bad_frame"),
    "no object": ("[1, 2]", "bad_frame"),
    "half of an object": ('{"event": "getRooms"', "bad_frame"),
    "two objects": ('{"event":"getRooms"}{"event":"getRooms"}', "bad_frame"),
    "no event": ('{"data": {}}', "bad_frame"),
    "event of a wrong type": ('{"event": 7}', "bad_frame"),
    "an id of a wrong type": ('{"event":"getRooms","id":[1]}', "bad_frame"),
    "an id of 2^70": (f'{{"event":"getRooms","id":{2**70}}}', "bad_frame"),
    "unknown event": ('{"event":"fly","data":{}}', "unknown_event"),
    "content of a wrong type": (said("7"), "bad_request"),
    "content missing": ('{"event":"message","data":{"room":"lobby"}}', "bad_request"),
    "data missing": ('{"event":"message"}', "bad_request"),
    "empty content": (said('""'), "bad_request"),
    "NaN": (said("NaN"), "bad_frame"),
    "infinity": (said("1e999"), "bad_request"),
    "2^70": (f'{{"event":"history","data":{{"room":"lobby","limit":{2**70}}}}}', "bad_request"),
    "5,000 digits": (f'{{"event":"history","data":{{"limit":{"9" * 5000}}}}}', "bad_request"),
    "deep nesting in the frame": ("[" * 30_000, "bad_frame"),
    "deep nesting in the data": (
        f'{{"event":"message","data":{"[" * 20_000}{"]" * 20_000}}}',
        "bad_frame",
    ),
    "NUL in content": (said(r'"a\u0000b"'), "bad_request"),
    "a lone surrogate": (said(r'"a\ud800b"'), "bad_request"),
    "content over MAX_CONTENT": (said(json.dumps("x" * 4001)), "too_long"),
    "an empty name": ('{"event":"createRoom","data":{"name":""}}', "bad_request"),
    "a blank name": ('{"event":"createRoom","data":{"name":"  "}}', "bad_request"),
    "a name with a line end": (r'{"event":"createRoom","data":{"name":"a\nb"}}', "bad_request"),
    "a name with NUL": (r'{"event":"createRoom","data":{"name":"a\u0000b"}}', "bad_request"),
    "a name of 129 characters": (
        json.dumps({"event": "createRoom", "data": {"name": "n" * 129}}),
        "bad_request",
    ),
    "an empty username": ('{"event":"setUsername","data":""}', "bad_request"),
    "a limit of 0": ('{"event":"getRooms","data":{"limit":0}}', "bad_request"),
    "both ends of history": (
        '{"event":"history","data":{"room":"lobby","before":1,"after":1}}',
        "bad_request",
    ),
    "a binary frame": (b'{"event":"getRooms"}', "bad_frame"),
}

BAD_MSGPACK: dict[str, tuple[bytes | str, str]] = {
    "not MessagePack": (b"\xc1", "bad_frame"),
    "nothing": (b"", "bad_frame"),
    "a claimed length": (b"\xdf\xff\xff\xff\xff", "bad_frame"),
    "a claimed text": (b"\xdb\xff\xff\xff\xff", "bad_frame"),
    "an extension type": (
        msgpack.packb({"event": "message", "data": msgpack.ExtType(5, b"x")}),
        "bad_request",
    ),
    "deep nesting": (b"\x91" * 30_000 + b"\xc0", "bad_frame"),
    "no UTF-8": (b"\x81\xa5event\xa2\xff\xfe", "bad_frame"),
    "a lone surrogate": (
        b"\x82\xa5event\xa7message\xa4data\x82\xa4room\xa5lobby\xa7content\xa3\xed\xa0\x80",
        "bad_request",
    ),
    "not a number": (
        msgpack.packb({"event": "history", "data": {"room": "lobby", "limit": float("nan")}}),
        "bad_request",
    ),
    "a text frame": ('{"event":"getRooms"}', "bad_frame"),
}


async def answered(peer: Peer, frame: str | bytes, code: str) -> None:
    """Send a bad frame, and check its error and that the connection still serves."""
    await peer.raw(frame)
    error: dict[str, Any] = (await peer.next("error"))["data"]
    assert error.keys() == {"code", "message", "retryable"}
    assert error["code"] == code
    assert error["message"]
    assert error["retryable"] is False
    assert await peer.request("getRooms") == {}


@pytest.mark.parametrize("name", BAD_JSON)
async def test_bad_json_is_answered(cluster: Cluster, name: str) -> None:
    """A bad JSON frame gets a coded error, and the connection goes on."""
    async with Peer(cluster.gateway_url(1), "username=ann") as peer:
        if "lobby" not in [room["name"] for room in await rooms_of(peer)]:
            await peer.request("createRoom", {"name": "lobby"})
        await peer.request("joinRoom", {"room": "lobby"})
        frame, code = BAD_JSON[name]
        await answered(peer, frame, code)
        assert not peer.all("message")


@pytest.mark.parametrize("name", BAD_MSGPACK)
async def test_bad_messagepack_is_answered(cluster: Cluster, name: str) -> None:
    """A bad MessagePack frame gets a coded error, and the connection goes on."""
    async with Peer(cluster.gateway_url(2), wire="msgpack") as peer:
        await answered(peer, *BAD_MSGPACK[name])


async def test_an_error_names_its_request(cluster: Cluster) -> None:
    """A request with an id gets its error under that id, number or text."""
    async with Peer(cluster.gateway_url(1)) as peer:
        for request in (5, "five"):
            await peer.emit("message", {"room": 1}, request)
            assert (await peer.next("error"))["id"] == request


async def test_a_bad_name_in_the_query_is_answered(cluster: Cluster) -> None:
    """A username in the query that is none gets an error, and the connection stays unnamed."""
    for query in ("username=%20", "username=a%00b", f"username={'n' * 129}"):
        async with Peer(cluster.gateway_url(1), f"welcome=1&{query}") as peer:
            sid = (await peer.next("welcome"))["data"]["sid"]
            assert (await peer.next("error"))["data"]["code"] == "bad_request"
            await peer.notified(f"User {sid} connected")


async def rooms_of(peer: Peer) -> list[dict[str, Any]]:
    """The rooms there are."""
    await peer.request("getRooms")
    found: list[dict[str, Any]] = (await peer.next("rooms"))["data"]
    return found
