"""The record of an attack, what its attackers are told, and how they fared."""

import base64
import os
from typing import Final, Literal

import msgspec

Door = Literal["json", "msgpack", "socket.io", "polling", "http"]
"""The wire that attackers speak; `http` is requests as they stand."""

MAX_RATIO: Final = 3.0
"""Between an honest p99 under an attack and at rest."""
USER: Final = "attacker-AAAA-NN"
"""Stands for the user of a connection: attackers put a name of the same length there."""
ADDRESS: Final = "ADDRESS-OF-IT"
"""Stands for where the attackers come from."""
TOKEN: Final = "TOKEN-OF-IT"
"""Stands for the token of a connection."""

HEADS: Final[dict[Door, tuple[str, str]]] = {
    "json": ("/ws", "chat.json"),
    "msgpack": ("/ws", "chat.msgpack"),
    "socket.io": ("/socket.io/?EIO=4&transport=websocket", ""),
}
"""The path and the subprotocol of the doors that are WebSockets."""


class Attack(msgspec.Struct, frozen=True, kw_only=True):
    """An attack, with all that its attackers send.

    Attributes:
        name: unique, for people.
        against: the parser or handler that it is to keep busy.
        door: the wire that it goes through.
        pieces: the bytes that are sent in a loop, one after the other, as fast as they are taken.
        opening: the bytes that are sent before, once a connection.
        login: true if each connection shows a token.
        users: true if each connection has a user of its own, not one for all.
        reads: true if the attackers read what they are sent.
        lingers: true if they go on sending after the server has said goodbye.
        connections: that are held at a time.
        max_ratio: between an honest p99 under it and at rest.
        worst: true for the one that stands for its parser or handler in CI.
    """

    name: str
    against: str
    door: Door
    pieces: tuple[bytes, ...]
    opening: tuple[bytes, ...] = ()
    login: bool = False
    users: bool = True
    reads: bool = True
    lingers: bool = False
    connections: int = 4
    max_ratio: float = MAX_RATIO
    worst: bool = False


class Order(msgspec.Struct, frozen=True):
    """What attackers are told.

    Attributes:
        attack: what they send.
        port: of the gateway that they attack.
        address: where they come from, as a trusted proxy says it.
        users: of the connections, one after the other.
        tokens: of the same, in case that an attack shows them.
    """

    attack: Attack
    port: int
    address: str
    users: tuple[str, ...]
    tokens: tuple[str, ...]

    def pieces(self, number: int, pieces: tuple[bytes, ...]) -> list[bytes]:
        """What a connection sends, with its own name, token and address in it."""
        user = self.users[number % len(self.users)]
        own = {USER: user, ADDRESS: self.address, TOKEN: self.token(number)}
        return [_replaced(piece, own) for piece in pieces]

    def token(self, number: int) -> str:
        """What a connection can show."""
        return self.tokens[number % len(self.tokens)]


class Fared(msgspec.Struct):
    """How attackers fared, since they began.

    Attributes:
        sent: bytes that the server, or the network in between, has taken.
        pieces: of the attack that were sent.
        opened: connections that were.
        ended: how connections ended, and requests were refused.
    """

    sent: int = 0
    pieces: int = 0
    opened: int = 0
    ended: dict[str, int] = {}

    def since(self, earlier: "Fared") -> "Fared":
        """What happened after an earlier report."""
        ended = {how: count - earlier.ended.get(how, 0) for how, count in self.ended.items()}
        return Fared(
            self.sent - earlier.sent,
            self.pieces - earlier.pieces,
            self.opened - earlier.opened,
            {how: count for how, count in ended.items() if count},
        )


def _replaced(piece: bytes, own: dict[str, str]) -> bytes:
    for stands, name in own.items():
        piece = piece.replace(stands.encode(), name.encode())
    return piece


def handshake(door: Door, token: str, address: str) -> bytes:
    """The request that opens a WebSocket.

    Args:
        door: a wire that has one.
        token: what the client shows; empty for none.
        address: where it comes from, as a trusted proxy says it.
    """
    path, protocol = HEADS[door]
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        f"X-Forwarded-For: {address}",
        *([f"Sec-WebSocket-Protocol: {protocol}"] if protocol else []),
        *([f"Authorization: Bearer {token}"] if token else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode()
