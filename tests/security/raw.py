"""A WebSocket client that sends what no library would, and knows nothing of the server's code."""

import base64
import os
import socket
import struct
from types import TracebackType
from typing import Self

CONTINUATION, TEXT, BINARY, CLOSE, PING = 0, 1, 2, 8, 9


def framed(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    mask: bool = True,
    reserved: int = 0,
    claimed: int | None = None,
    key: bytes | None = None,
) -> bytes:
    """A frame of a client.

    Args:
        opcode: four bits.
        payload: before it is masked.
        fin: whether it is the last of its message.
        mask: whether it is masked.
        reserved: the three reserved bits.
        claimed: the length that it says it has.
        key: four bytes to mask by; random ones unless given.
    """
    size = len(payload) if claimed is None else claimed
    first, masked = (fin << 7) | (reserved << 4) | opcode, 0x80 if mask else 0
    if size < 126:
        head = struct.pack("!BB", first, masked | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", first, masked | 126, size)
    else:
        head = struct.pack("!BBQ", first, masked | 127, size)
    if not mask:
        return head + payload
    key = key or os.urandom(4)
    return head + key + _masked(payload, key)


def _masked(payload: bytes, key: bytes) -> bytes:
    """The payload as one large number, so that also 64 KiB take no time to speak of."""
    size = len(payload)
    stream = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload) ^ int.from_bytes(stream)).to_bytes(size)


class RawSocket:
    """A connection of bytes, blocking: what the server said before it hung up is never lost.

    Args:
        port: on this machine.
    """

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._got = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def send(self, data: bytes) -> bool:
        """Send; whether the server still took it."""
        try:
            self._socket.sendall(data)
        except ConnectionError:
            return False
        return True

    def send_some(self, data: bytes, patience: float = 1.0) -> int:
        """Send until the server has taken nothing for so many seconds; how many bytes it took."""
        sent, view = 0, memoryview(data)
        self._socket.settimeout(patience)
        try:
            while sent < len(data):
                sent += self._socket.send(view[sent : sent + 65_536])
        except (TimeoutError, ConnectionError):
            pass
        finally:
            self._socket.settimeout(30)
        return sent

    def upgrade(self, path: str, protocol: str = "", *more: str) -> bytes:
        """Ask for a WebSocket, and return the head of the answer.

        Args:
            path: of the request.
            protocol: the subprotocol.
            more: lines of the request's head.
        """
        lines = [
            f"GET {path} HTTP/1.1",
            "Host: 127.0.0.1",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            *([f"Sec-WebSocket-Protocol: {protocol}"] if protocol else []),
            *more,
        ]
        self.send("\r\n".join([*lines, "", ""]).encode())
        while b"\r\n\r\n" not in self._got:
            if not self._more():
                break
        head, _, self._got = self._got.partition(b"\r\n\r\n")
        return head

    def fileno(self) -> int:
        """For `select`."""
        return self._socket.fileno()

    def ended(self) -> bool:
        """Read what is there, at least a byte: whether it was the end."""
        return not self._more()

    def some(self) -> bytes:
        """Wait for the beginning of what comes."""
        self._more()
        return self._got

    def rest(self) -> bytes:
        """All that comes until the server hangs up."""
        while self._more():
            pass
        return self._got

    def close_code(self) -> int | None:
        """Wait until the server hangs up: the code it gave."""
        data, at = self.rest(), 0
        while at + 2 <= len(data):
            opcode, size, at = data[at] & 15, data[at + 1] & 127, at + 2
            if size == 126:
                size, at = int.from_bytes(data[at : at + 2], "big"), at + 2
            elif size == 127:
                size, at = int.from_bytes(data[at : at + 8], "big"), at + 8
            if opcode == CLOSE:
                return int.from_bytes(data[at : at + 2], "big")
            at += size
        return None

    def _more(self) -> bool:
        try:
            more = self._socket.recv(65_536)
        except ConnectionError:
            return False
        self._got += more
        return bool(more)
