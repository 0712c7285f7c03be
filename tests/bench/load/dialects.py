"""The dialects: how a client speaks to each system."""

import asyncio
import re

import msgspec
from picows import WSFrame, WSMsgType, WSTransport

from tests.bench.load.client import ANSWER_TIMEOUT_SECONDS, Client
from tests.bench.load.room import InvalidRunError

SEQ = re.compile(rb'"seq":(\d+)')


def seq_of(delivery: bytes) -> int:
    """The seq of one of Parley's deliveries."""
    found = SEQ.search(delivery)
    return int(found[1]) if found else 0


class Answering(Client):
    """A client that waits for one answer at a time."""

    async def answer(self) -> bytes:
        self._answer = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
                return await self._answer
        except TimeoutError:
            raise InvalidRunError(f"{self.user} was not answered") from None

    def answered(self, data: bytes) -> None:
        """Take an answer."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(data)


class ParleyJson(Answering):
    """Parley: JSON text frames."""

    delivery = b'{"event":"message"'

    def address(self, endpoint: str) -> str:
        return f"{endpoint}/ws?username={self.user}"

    async def create(self, name: str) -> None:
        await self.request("createRoom", {"name": name})

    async def join(self) -> None:
        await self.request("joinRoom", {"room": self.room.name})

    async def resume(self) -> None:
        await self.request("resume", {"rooms": {self.room.name: seq_of(self.latest)}})

    async def request(self, event: str, data: object) -> bytes:
        """Ask for something.

        Raises:
            InvalidRunError: it was refused.
        """
        answer = await self.ask(msgspec.json.encode({"event": event, "data": data, "id": 1}))
        if not answer.startswith(b'{"event":"reply"'):
            raise InvalidRunError(f"{event} of {self.user}: {answer[:300]!r}")
        return answer

    def packet(self, text: str) -> bytes:
        return (
            f'{{"event":"message","data":{{"room":"{self.room.name}","content":"{text}"}}}}'
        ).encode()

    def on_ws_frame(self, _: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            return
        data = frame.get_payload_as_bytes()
        if data.startswith(self.delivery):
            self.take(data)
        elif data.startswith((b'{"event":"reply"', b'{"event":"error"')):
            self.answered(data)


class ParleyJsonDirect(ParleyJson):
    """Parley: JSON text frames, in a direct chat."""

    delivery = b'{"event":"newMessage"'

    async def create(self, name: str) -> None:
        """The first message makes the chat."""

    async def join(self) -> None:
        await self.request("userOnline", self.user)

    def packet(self, text: str) -> bytes:
        receiver = self.room.members[1].user
        data = f'{{"senderId":"{self.user}","receiverId":"{receiver}","content":"{text}"}}'
        return f'{{"event":"sendMessage","data":{data}}}'.encode()


class SocketIo(Answering):
    """Socket.IO 5 over Engine.IO 4, transport WebSocket, without its client.

    See https://socket.io/docs/v4/engine-io-protocol/ and .../socket-io-protocol/.
    """

    delivery = b'42["message"'

    def address(self, endpoint: str) -> str:
        return f"{endpoint}/socket.io/?EIO=4&transport=websocket&username={self.user}"

    async def enter(self) -> None:
        await self.ask(b"40")  # the server's `0{...}` may come before or after

    async def join(self) -> None:
        await self.ask(f'420["join","{self.room.name}"]'.encode())

    def packet(self, text: str) -> bytes:
        return f'42["message",{{"room":"{self.room.name}","content":"{text}"}}]'.encode()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            return
        data = frame.get_payload_as_bytes()
        if data.startswith(self.delivery):
            self.take(data)
        elif data == b"2":
            transport.send(WSMsgType.TEXT, b"3")
        elif data.startswith((b"40", b"43", b"44")):
            self.answered(data)


class SocketIoRecovering(SocketIo):
    """Socket.IO with connection state recovery, which restores rooms and missed messages.

    See https://socket.io/docs/v4/connection-state-recovery/.
    """

    async def enter(self) -> None:
        if self.latest:
            offset = msgspec.json.decode(self.latest[2:])[-1]
            recovery = msgspec.json.encode({"pid": self._private, "offset": offset})
            answer = await self.ask(b"40" + recovery)
        else:
            answer = await self.ask(b"40")
        self._private: str = msgspec.json.decode(answer[2:])["pid"]

    async def resume(self) -> None:
        """Nothing more to do."""


class ParleySocketIo(SocketIo):
    """Parley: Socket.IO."""

    async def create(self, name: str) -> None:
        await self.request("createRoom", {"name": name})

    async def join(self) -> None:
        await self.request("joinRoom", {"room": self.room.name})

    async def resume(self) -> None:
        await self.request("resume", {"rooms": {self.room.name: seq_of(self.latest)}})

    async def request(self, event: str, data: object) -> bytes:
        """Ask for something.

        Raises:
            InvalidRunError: it was refused.
        """
        answer = await self.ask(b"420" + msgspec.json.encode([event, data]))
        if answer.startswith(b"44") or b'{"error"' in answer[:20]:
            raise InvalidRunError(f"{event} of {self.user}: {answer[:300]!r}")
        return answer


class ParleySocketIoDirect(ParleySocketIo):
    """Parley: Socket.IO, in a direct chat."""

    delivery = b'42["newMessage"'

    async def create(self, name: str) -> None:
        """The first message makes the chat."""

    async def join(self) -> None:
        await self.request("userOnline", self.user)

    def packet(self, text: str) -> bytes:
        receiver = self.room.members[1].user
        data = f'{{"senderId":"{self.user}","receiverId":"{receiver}","content":"{text}"}}'
        return f'42["sendMessage",{data}]'.encode()


class Tutorial(Answering):
    """The plain Starlette server: JSON frames, `{"event", "room", ...}`."""

    delivery = b'{"event":"message"'

    def address(self, endpoint: str) -> str:
        return f"{endpoint}/ws?username={self.user}"

    async def join(self) -> None:
        await self.ask(f'{{"event":"join","room":"{self.room.name}"}}'.encode())

    def packet(self, text: str) -> bytes:
        return f'{{"event":"message","room":"{self.room.name}","content":"{text}"}}'.encode()

    def on_ws_frame(self, _: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            return
        data = frame.get_payload_as_bytes()
        if data.startswith(self.delivery):
            self.take(data)
        else:
            self.answered(data)


class Nats(Answering):
    """NATS over WebSocket: its text protocol as a stream, cut into frames anywhere.

    See https://docs.nats.io/reference/reference-protocols/nats-protocol.
    """

    kind = WSMsgType.BINARY

    def address(self, endpoint: str) -> str:
        self._unread = b""
        return f"{endpoint}/"

    async def enter(self) -> None:
        await self.ask(b'CONNECT {"verbose":false,"pedantic":false,"echo":true}\r\nPING\r\n')

    async def join(self) -> None:
        await self.ask(f"SUB {self.room.name} 1\r\nPING\r\n".encode())

    def packet(self, text: str) -> bytes:
        return f"PUB {self.room.name} {len(text)}\r\n{text}\r\n".encode()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.BINARY:
            return
        data = self._unread + frame.get_payload_as_bytes()
        at = 0
        while (end := data.find(b"\r\n", at)) >= 0:
            if data.startswith(b"MSG ", at):
                size = int(data[data.rindex(b" ", at, end) + 1 : end])
                if end + size + 4 > len(data):
                    break
                end += size + 2
                self.take(data[at:end])
            elif data.startswith(b"PONG", at):
                self.answered(b"PONG")
            elif data.startswith(b"PING", at):
                transport.send(WSMsgType.BINARY, b"PONG\r\n")
            elif data.startswith(b"-ERR", at):
                self.room.wrong(self.user, self.next, data[at:end])
            at = end + 2
        self._unread = data[at:]


DIALECTS: dict[str, tuple[type[Client], type[Client]]] = {
    "parley-json": (ParleyJson, ParleyJsonDirect),
    "parley-socketio": (ParleySocketIo, ParleySocketIoDirect),
    "socketio": (SocketIo, SocketIo),
    "socketio-recovering": (SocketIoRecovering, SocketIoRecovering),
    "tutorial": (Tutorial, Tutorial),
    "nats": (Nats, Nats),
}
"""A client of a named room and one of a direct chat, by dialect."""
