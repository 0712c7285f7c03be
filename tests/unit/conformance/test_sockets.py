"""The Socket.IO side of a session: namespaces, events, acknowledgements both ways."""

from typing import Any

import pytest

from gateway.protocols.engineio.packets import Binary, PacketError
from tests.conformance.sockets import (
    MAX_AWAITED,
    MAX_NAMESPACES,
    Socket,
    SocketIOSession,
)


class Client:
    """A session, and what was sent to its client."""

    def __init__(self) -> None:
        self.got: list[str | Binary] = []
        self.session = SocketIOSession(self._send, {"/", "/admin"})

    def connect(self, namespace: str = "/") -> Socket:
        """Connect to a namespace, and forget what that sent."""
        happening = self.session.receive(f"0{namespace},")
        assert happening is not None
        happening.socket.accept("known")
        self.got.clear()
        return happening.socket

    def _send(self, packet: bytes) -> None:
        self.got.append(packet if isinstance(packet, Binary) else packet.decode())


def test_connect() -> None:
    """A CONNECT is for the application, with its payload; accepted, it is answered with an id."""
    client = Client()

    happening = client.session.receive('0{"token":"123"}')

    assert happening is not None
    assert (happening.kind, happening.packet.auth) == ("connect", {"token": "123"})
    assert not client.session.connected
    happening.socket.accept()
    assert client.session.connected
    assert client.got == [f'40{{"sid":"{happening.socket.sid}"}}']
    assert len(happening.socket.sid) >= 20


def test_connect_with_more_to_say() -> None:
    """The answer may keep an earlier id, and carry more."""
    client = Client()
    happening = client.session.receive("0/admin,")
    assert happening is not None

    happening.socket.accept("earlier", pid="private")

    assert client.got == ['40/admin,{"sid":"earlier","pid":"private"}']


def test_refuse() -> None:
    """A refusal carries a message; its client may ask again."""
    client = Client()
    happening = client.session.receive("0/random")
    assert happening is not None

    happening.socket.refuse("Invalid namespace")
    client.session.forget(happening.socket)

    assert client.got == ['44/random,{"message":"Invalid namespace"}']
    assert not client.session.connected
    assert client.session.receive("0/random") is not None


@pytest.mark.parametrize(
    "text", ['2["foo"]', "30[]", "1", '2/admin,["foo"]', "0", '4{"message":"x"}', "41"]
)
def test_packets_out_of_place(text: str) -> None:
    """What comes before its CONNECT, or a second CONNECT, closes the connection."""
    client = Client()
    if text == "0":
        client.connect()

    with pytest.raises(PacketError):
        client.session.receive(text)


def test_event_before_the_answer() -> None:
    """A namespace that has not accepted yet takes no event."""
    client = Client()
    client.session.receive("0")

    with pytest.raises(PacketError):
        client.session.receive('2["foo"]')


def test_event_and_acknowledgement() -> None:
    """An event with an id is acknowledged with it; one without wants nothing."""
    client = Client()
    socket = client.connect("/admin")

    asked = client.session.receive('2/admin,7["foo",1]')
    told = client.session.receive('2/admin,["foo",1]')

    assert asked is not None
    assert told is not None
    assert (asked.kind, asked.socket, asked.packet.values()) == ("event", socket, [1])
    asked.socket.acknowledge(asked.packet.id, "bar", Binary(b"x"))
    told.socket.acknowledge(told.packet.id, "bar")
    assert client.got == ['461-/admin,7["bar",{"_placeholder":true,"num":0}]', b"x"]


def test_acknowledgement_of_the_client() -> None:
    """An event may ask for an acknowledgement, and gets it once."""
    client = Client()
    socket = client.connect()
    received: list[list[Any] | None] = []

    socket.emit("one", 1, on_ack=received.append)
    socket.emit("two", Binary(b"x"), on_ack=received.append)
    for text in ('31["second"]', "30[]", "30[]", "399[]"):
        assert client.session.receive(text) is None

    assert client.got == ['420["one",1]', '451-1["two",{"_placeholder":true,"num":0}]', b"x"]
    assert received == [["second"], []]


def test_binary_acknowledgement_of_the_client() -> None:
    """An acknowledgement with attachments arrives whole."""
    client = Client()
    received: list[list[Any] | None] = []
    client.connect().emit("one", on_ack=received.append)

    client.session.receive('61-0["bar",{"_placeholder":true,"num":0}]')
    client.session.receive(Binary(b"x"))

    assert received == [["bar", b"x"]]


def test_acknowledgements_that_never_come() -> None:
    """Who awaits an acknowledgement hears when there will be none, and few are kept."""
    client = Client()
    socket = client.connect()
    received: list[list[Any] | None] = []

    for _ in range(MAX_AWAITED + 1):
        socket.emit("one", on_ack=received.append)
    assert received == [None]
    client.session.receive("1")

    assert received == [None] * (MAX_AWAITED + 1)


def test_client_disconnects() -> None:
    """A client may leave a namespace, stay in others, and come again."""
    client = Client()
    client.connect()
    admin = client.connect("/admin")

    happening = client.session.receive("1/admin,")

    assert happening is not None
    assert (happening.kind, happening.socket) == ("disconnect", admin)
    assert not admin.connected
    assert client.session.connected
    admin.emit("late")
    assert client.got == []
    with pytest.raises(PacketError):
        client.session.receive('2/admin,["foo"]')
    client.connect("/admin")


def test_server_disconnects() -> None:
    """The server may end a namespace: its client hears, and nothing more is sent there."""
    client = Client()
    socket = client.connect("/admin")

    client.session.disconnect(socket)
    client.session.disconnect(socket)
    socket.emit("late")

    assert client.got == ["41/admin,"]
    assert not client.session.connected


def test_end() -> None:
    """The end of a session ends what was connected; what was being accepted never will be."""
    client = Client()
    socket = client.connect()
    asking = client.session.receive("0/slow")
    assert asking is not None

    assert client.session.end() == [socket]
    asking.socket.accept()

    assert not socket.connected
    assert not asking.socket.connected
    assert client.got == []


def test_namespaces_are_bounded() -> None:
    """A session connects to so many namespaces and no more."""
    client = Client()
    for number in range(MAX_NAMESPACES):
        client.session.receive(f"0/{number}")

    with pytest.raises(PacketError):
        client.session.receive("0/more")


def test_event_that_was_encoded_once() -> None:
    """A finished frame reaches a client as it is."""
    client = Client()

    client.connect().send(b'42["message","hi"]')

    assert client.got == ['42["message","hi"]']
