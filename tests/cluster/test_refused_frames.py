"""A frame that is refused is answered with its id, whatever else is wrong with it."""

import json

import msgpack
import pytest

from tests.cluster.test_socketio_packets import CONNECT, said, session
from tests.support.cluster import Cluster
from tests.support.peer import Peer

DEEP = "[" * 20_000 + "]" * 20_000

JSON: dict[str, tuple[str, int | str, str]] = {
    "half of a surrogate pair": (
        r'{"event":"message","id":"s1","data":{"room":"r","content":"a\ud83db"}}',
        "s1",
        "bad_request",
    ),
    "the other half": (r'{"event":"message","data":{"content":"\ude00"},"id":2}', 2, "bad_request"),
    "half of a pair in the event": (r'{"event":"\ud83d","id":3}', 3, "bad_frame"),
    "an event of a wrong type": ('{"event":7,"id":"four"}', "four", "bad_frame"),
    "no event": ('{"data":{"id":6},"id":5}', 5, "bad_frame"),
    "an event of 65 characters": (json.dumps({"id": 6, "event": "x" * 65}), 6, "bad_frame"),
    "an escape that JSON does not have": (r'{"data":"\x","id":7}', 7, "bad_frame"),
    "a line end in a text": ('{"id":8,"event":"message","data":"a\nb"}', 8, "bad_frame"),
    "NaN": ('{"event":"message","data":NaN,"id":9}', 9, "bad_frame"),
    "deep nesting": (f'{{"event":"message","data":{DEEP},"id":10}}', 10, "bad_frame"),
    "a text that does not end": ('{"event":"message","id":11,"data":"x', 11, "bad_frame"),
    "half of an object": ('{"id":12,"event":"mess', 12, "bad_frame"),
    "something behind the object": ('{"event":"getRooms","id":13}{}', 13, "bad_frame"),
    "no comma": ('{"event":"getRooms" "id":14}', 14, "bad_frame"),
    "two ids": ('{"id":1,"event":7,"id":15}', 15, "bad_frame"),
    "an id with a fraction of nothing": ('{"event":7,"id":16.0}', 16, "bad_frame"),
    "an id that has to be read": (r'{"id":"\u0061\"b","event":7}', 'a"b', "bad_frame"),
}

MSGPACK: dict[str, tuple[bytes, int | str, str]] = {
    "an event of a wrong type": (msgpack.packb({"event": 7, "id": "one"}), "one", "bad_frame"),
    "no event": (msgpack.packb({"data": {"id": 1}, "id": 2}), 2, "bad_frame"),
    "an event that is no UTF-8": (b"\x82\xa5event\xa2\xff\xfe\xa2id\x03", 3, "bad_frame"),
    "half of a surrogate pair": (
        b"\x83\xa5event\xa7message\xa4data\x82\xa4room\xa1r\xa7content\xa3\xed\xa0\xbd\xa2id\x04",
        4,
        "bad_request",
    ),
    "half of a frame": (b"\x83\xa2id\x05\xa5event\xa7mess", 5, "bad_frame"),
    "fewer fields than it says": (b"\xdf\xff\xff\xff\xff\xa2id\x06", 6, "bad_frame"),
    "an extension type": (
        msgpack.packb({"event": msgpack.ExtType(5, b"x"), "id": 7}),
        7,
        "bad_frame",
    ),
    "a float as id": (msgpack.packb({"event": 7, "id": 9.0}), 9, "bad_frame"),
    "something behind the map": (msgpack.packb({"event": "getRooms", "id": 8}) + b"x", 8, ""),
}

SOCKETIO: dict[str, tuple[str, int]] = {
    "half of an array": ('421["message",{"room":"r"', 1),
    "an escape that JSON does not have": (r'422["message",{"content":"\x"}]', 2),
    "no array": ('423{"event":"message"}', 3),
    "nothing": ("424", 4),
    "no name": ("425[]", 5),
    "a name of a wrong type": ('426[{"a":1},{}]', 6),
    "a name that is reserved": ('427["disconnect"]', 7),
    "deep nesting": (f'428["message",{DEEP}]', 8),
    "no attachments": ('450-9["message",{}]', 9),
}


@pytest.mark.parametrize("gateway", [1, 2])
async def test_json(cluster: Cluster, gateway: int) -> None:
    """A JSON frame whose id can be read is answered with it, and the connection goes on."""
    async with Peer(cluster.gateway_url(gateway), "username=ann") as peer:
        for name, (frame, request, code) in JSON.items():
            await peer.raw(frame)
            error = await peer.next("error")
            assert (error.get("id"), error["data"]["code"]) == (request, code), name
        assert await peer.request("getRooms") == {}


@pytest.mark.parametrize("gateway", [1, 2])
async def test_messagepack(cluster: Cluster, gateway: int) -> None:
    """A MessagePack frame whose id can be read is answered with it, and the connection goes on."""
    async with Peer(cluster.gateway_url(gateway), "username=ann", wire="msgpack") as peer:
        for name, (frame, request, code) in MSGPACK.items():
            await peer.raw(frame)
            error = await peer.next("error")
            assert error.get("id") == request, name
            assert error["data"]["code"] == (code or "bad_frame"), name
        assert await peer.request("getRooms") == {}


async def test_floats_as_ids(cluster: Cluster) -> None:
    """An id may be a float without a fraction, as clients write that have no other numbers."""
    async with Peer(cluster.gateway_url(1)) as peer:
        await peer.raw('{"event":"getRooms","id":7.0}')
        assert (await peer.next("reply"))["id"] == 7
        await peer.raw('{"event":"getRooms","id":7.5}')
        assert "id" not in await peer.next("error")
    async with Peer(cluster.gateway_url(2), wire="msgpack") as peer:
        await peer.raw(msgpack.packb({"event": "getRooms", "id": -8.0}))
        assert (await peer.next("reply"))["id"] == -8


async def test_frames_of_the_other_kind(cluster: Cluster) -> None:
    """A binary frame among texts, or a text among binary frames, is answered with its id, too."""
    binary = msgpack.packb({"event": "getRooms", "id": 1})
    async with Peer(cluster.gateway_url(1)) as peer:
        for frame, request in ((binary, 1), (b'{"event":"getRooms","id":"two"}', "two")):
            await peer.raw(frame)
            error = await peer.next("error")
            assert (error["id"], error["data"]["code"]) == (request, "bad_frame")
        assert await peer.request("getRooms") == {}
    async with Peer(cluster.gateway_url(2), wire="msgpack") as peer:
        await peer.raw('{"event":"getRooms","id":3}')
        assert (await peer.next("error"))["id"] == 3
        assert await peer.request("getRooms") == {}


async def test_a_text_that_is_no_utf8(cluster: Cluster) -> None:
    """A text that is no UTF-8 is answered with its id before its connection is closed with 1007."""
    async with Peer(cluster.gateway_url(1)) as peer:
        await peer.socket.send(b'{"event":"message","data":"\xff","id":"s1"}', text=True)
        assert await peer.closed() == 1007
        [error] = [frame for frame in peer.frames if frame["event"] == "error"]
        assert (error["id"], error["data"]["code"]) == ("s1", "bad_frame")


@pytest.mark.parametrize("gateway", [1, 2])
async def test_socketio(cluster: Cluster, gateway: int) -> None:
    """A Socket.IO event that asks for an acknowledgement gets one, and the connection goes on."""
    async with session(cluster.gateway_url(gateway)) as socket:
        await socket.send(CONNECT)
        await said(socket, "40{")
        for name, (packet, ack) in SOCKETIO.items():
            await socket.send(packet)
            [answer] = json.loads((await said(socket, f"43{ack}["))[3:])
            assert answer["error"]["code"] == "bad_frame", name
        await socket.send('4299["getRooms",{}]')
        assert await said(socket, "4399[") == "4399[{}]"


async def test_socketio_attachments(cluster: Cluster) -> None:
    """What belongs to a refused Socket.IO event is passed over: it closes no connection."""
    async with session(cluster.gateway_url(1)) as socket:
        await socket.send(CONNECT)
        await said(socket, "40{")
        for count in (1, 12):
            await socket.send(f'45{count}-1["message",{{"_placeholder":true,"num":7}}')
            for _ in range(count):
                await socket.send(b"x")
            assert '"bad_frame"' in await said(socket, "431[")
        await socket.send('422["getRooms",{}]')
        assert await said(socket, "432[") == "432[{}]"


async def test_refusals_are_counted() -> None:
    """Frames that are refused count, of a wrong kind too: a flood of them ends with 4429."""
    env = {"RATE_LIMITS": "on", "RATE_REFUSALS": "1/1s:20"}
    async with Cluster(gateways=1, env=env) as cluster:
        for frame in (r'{"id":1,"event":"x","data":"\ud83d"}', b'{"id":1}', '{"id":1}'):
            async with Peer(cluster.gateway_url(1)) as peer:
                for _ in range(30):
                    await peer.raw(frame)
                assert await peer.closed() == 4429
