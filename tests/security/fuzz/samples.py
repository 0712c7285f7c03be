"""Bytes to begin with: one good frame of each kind, so that what is changed is nearly one."""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgpack

from shared.codec import encode
from tests.security.fuzz.targets import TARGETS
from tests.security.raw import BINARY, CLOSE, CONTINUATION, PING, TEXT, framed
from tests.support.events import created, message

EVENTS: Final[list[tuple[str, Any]]] = [
    ("authenticate", {"token": "a.b.c"}),
    ("setUsername", "ann"),
    ("createRoom", {"name": "general", "password": "key"}),
    ("joinRoom", {"room": "general", "username": "ann", "password": "key", "grant": "g"}),
    ("resume", {"rooms": {"general": 41}, "chats": {"1024": 7}, "grants": {"general": "g"}}),
    ("message", {"room": "general", "content": "hi", "clientMsgId": "m1", "resend": True}),
    ("history", {"room": "general", "before": 41, "limit": 50}),
    ("history", {"chatId": 1024, "after": 0}),
    ("seen", {"room": "general", "seq": 41}),
    ("setModerator", {"room": "general", "user": "bob", "moderator": True}),
    ("kick", {"room": "general", "user": 7}),
    ("getChats", {"userId": 7}),
    ("createChat", {"user1Id": 1, "user2Id": "bob"}),
    ("sendMessage", {"senderId": 1, "receiverId": 2, "content": "hi", "chatId": 1024}),
    ("deleteMessage", 1024),
    ("getRooms", None),
]

_FRAMES = [{"event": event, "data": data, "id": n} for n, (event, data) in enumerate(EVENTS)]
_PACKETS = [f"42{n}{json.dumps([event, data])}" for n, (event, data) in enumerate(EVENTS)]

SAMPLES: Final[Mapping[str, list[bytes]]] = {
    "json_frames": [json.dumps(frame).encode() for frame in _FRAMES],
    "msgpack_frames": [msgpack.packb(frame) for frame in _FRAMES],
    "socketio_payload": [
        *(packet.encode() for packet in _PACKETS),
        b'40{"token":"a","pid":"b","offset":"c"}',
        b'40/other,{"a":1}\x1e2\x1e3probe\x1e41',
        b'451-7["message",{"_placeholder":true,"num":0}]\x1ebAAEC',
        "\x1e".join(_PACKETS).encode(),
    ],
    "websocket_bytes": [
        framed(TEXT, b'{"event":"getRooms"}') + framed(PING, b"x") + framed(CLOSE, b"\x03\xe8"),
        framed(BINARY, b"x" * 200),
        framed(TEXT, b"a", fin=False) + framed(PING) + framed(CONTINUATION, "\u00e9".encode()),
        framed(BINARY, b"x", claimed=70_000),
    ],
    "envelopes": [encode(message(7)), encode(created("general"))],
    "addresses": [
        b"EIO=4&transport=polling&sid=gateway-1.x&t=abc",
        b"AAAAAAAA.1.2.3",
        b"203.0.113.7, 2001:db8::1, ::ffff:10.0.0.1",
        b"https://chat.example.org:8443",
    ],
}
assert SAMPLES.keys() == TARGETS.keys()
