"""An Engine.IO 4 session: heartbeat, polling, upgrade and end, by a clock that the test sets."""

import json

import pytest

from gateway.protocols.engineio.packets import Binary, Packet, PacketError, PacketType
from gateway.protocols.engineio.session import EngineProtocol
from gateway.protocols.engineio.settings import EngineSettings

SETTINGS = EngineSettings(ping_interval=300, ping_timeout=200, upgrade_timeout=1000)
PROBE = Packet(PacketType.PING, "probe")
PONG = Packet(PacketType.PONG)
UPGRADE = Packet(PacketType.UPGRADE)
START = 100.0


def polling(settings: EngineSettings = SETTINGS) -> EngineProtocol:
    """Open a session whose client has its handshake."""
    session = EngineProtocol("sid", "polling", settings, START)
    session.poll(START)
    assert session.answer(START) is not None
    return session


def websocket(settings: EngineSettings = SETTINGS) -> EngineProtocol:
    """Open a session whose client has its handshake."""
    session = EngineProtocol("sid", "websocket", settings, START)
    session.take()
    return session


def answered(session: EngineProtocol, now: float) -> bytes | None:
    """Poll, and look for the answer at once."""
    session.poll(now)
    return session.answer(now)


def probed(now: float = START) -> EngineProtocol:
    """Bring a session to where its client may upgrade."""
    session = polling()
    assert session.begin_upgrade(now)
    assert session.upgrade(PROBE, now) == b"3probe"
    return session


@pytest.mark.parametrize(("transport", "upgrades"), [("polling", ["websocket"]), ("websocket", [])])
def test_handshake(transport: str, upgrades: list[str]) -> None:
    """The first packet is the handshake; only polling has something to upgrade to."""
    session = EngineProtocol("sid", transport, SETTINGS, START)  # type: ignore[arg-type]

    (packet,) = session.take()

    assert packet[:1] == b"0"
    assert json.loads(packet[1:]) == {
        "sid": "sid",
        "upgrades": upgrades,
        "pingInterval": 300,
        "pingTimeout": 200,
        "maxPayload": 1_000_000,
    }


def test_poll_waits_for_packets_and_takes_all() -> None:
    """A poll without packets waits; its answer is all that there are."""
    session = polling()

    assert answered(session, START) is None
    session.send(b"4one")
    session.send(Binary(b"\x01\x02\x03\x04"))

    assert session.answer(START) == b"4one\x1ebAQIDBA=="
    assert session.unsent == 0


def test_ping_comes_with_each_interval() -> None:
    """A ping is due one interval after the other, whenever between them the pong came."""
    session = websocket()
    for count in range(1, 4):
        due = START + count * 0.3
        assert session.deadline == pytest.approx(due)
        session.tick(session.deadline)
        assert session.take() == [b"2"]
        session.receive(PONG, due + 0.1)
        session.receive(PONG, due + 0.11)  # nobody asked
    assert not session.closed


def test_late_pong() -> None:
    """After a pong that took longer than an interval there is a pause before the next ping."""
    session = websocket(EngineSettings(ping_interval=300, ping_timeout=5000))
    session.tick(START + 0.3)

    session.receive(PONG, START + 2)

    assert session.deadline == pytest.approx(START + 2.15)


def test_ping_answers_a_poll() -> None:
    """A poll that waits is answered with the ping."""
    session = polling()
    assert answered(session, START) is None

    session.tick(START + 0.3)

    assert session.answer(START + 0.3) == b"2"


def test_no_pong() -> None:
    """A client without a pong within the timeout is gone; its poll is told."""
    session = polling()
    session.tick(START + 0.3)
    session.take()
    assert answered(session, START + 0.3) is None

    session.tick(session.deadline)

    assert session.closed == "ping timeout"
    assert session.answer(START + 0.5) == b"1"
    assert session.gone


def test_life_does_not_depend_on_how_late_the_timer_is() -> None:
    """A ping that was sent late by this process's fault does not prolong a silent session."""
    session = websocket()

    session.tick(START + 0.34)

    assert session.deadline == pytest.approx(START + 0.5)


def test_very_late_ping_leaves_time_for_the_pong() -> None:
    """However late a ping was sent, its client has most of the timeout to answer."""
    session = websocket()

    session.tick(START + 5)

    assert not session.closed
    assert session.deadline == pytest.approx(START + 5.15)


def test_a_client_that_is_not_read_has_its_timeout_afterwards() -> None:
    """A pong that waits until its client is read again is not late, and then it has to come."""
    session = websocket()
    session.tick(START + 0.3)

    session.excuse(START + 0.9)
    session.tick(START + 1.0)

    assert session.deadline == pytest.approx(START + 1.1)

    session.excuse(START + 0.9)
    session.tick(START + 1.11)

    assert session.closed == "ping timeout"


def test_anything_else_extends_the_timeout_once() -> None:
    """A packet while the pong is awaited shows life, but not for ever."""
    session = websocket()
    session.tick(START + 0.3)

    session.receive(Packet(PacketType.MESSAGE, "a"), START + 0.4)
    assert session.deadline == pytest.approx(START + 0.6)
    session.receive(Packet(PacketType.MESSAGE, "b"), START + 0.5)
    assert session.deadline == pytest.approx(START + 0.6)
    session.tick(session.deadline)

    assert session.closed == "ping timeout"


def test_ping_of_a_client() -> None:
    """Only the server sends pings: a client that does is closed."""
    session = websocket()

    with pytest.raises(PacketError):
        session.receive(Packet(PacketType.PING), START)

    assert session.closed == "transport error"


@pytest.mark.parametrize("kind", [PacketType.OPEN, PacketType.UPGRADE, PacketType.NOOP])
def test_packets_without_meaning_here(kind: PacketType) -> None:
    """Packets that mean nothing on a client's transport do nothing."""
    session = websocket()

    assert session.receive(Packet(kind), START) is None
    assert not session.closed


def test_message() -> None:
    """A message is for the application."""
    session = websocket()

    assert session.receive(Packet(PacketType.MESSAGE, "hello"), START) == "hello"
    assert session.receive(Packet(PacketType.MESSAGE, Binary(b"\x00")), START) == b"\x00"


def test_client_closes_while_a_poll_waits() -> None:
    """A client that closes gets its poll back with a noop, and the session is gone."""
    session = polling()
    assert answered(session, START) is None

    session.receive(Packet(PacketType.CLOSE), START)

    assert session.answer(START) == b"6"
    assert session.closed == "transport close"
    assert session.gone


def test_client_closes_without_a_poll() -> None:
    """A client that closes and does not poll is forgotten at once."""
    session = polling()

    session.receive(Packet(PacketType.CLOSE), START)

    assert session.gone


def test_server_closes() -> None:
    """A poll after the server's close brings what waited, and the next one the close packet."""
    session = polling()
    session.send(b"4bye")

    session.close(START)

    assert not session.gone
    assert answered(session, START) == b"4bye"
    assert not session.gone
    assert answered(session, START) == b"1"
    assert session.gone


def test_server_closes_and_nobody_polls() -> None:
    """A closed session whose client does not come back is forgotten after a while."""
    session = polling()
    session.close(START)

    session.tick(session.deadline)

    assert session.gone


def test_nothing_moves_after_the_end() -> None:
    """An ended session takes nothing in and sends nothing out."""
    session = websocket()
    session.close(START)
    session.send(b"4late")

    assert session.take() == []
    with pytest.raises(PacketError):
        session.receive(Packet(PacketType.MESSAGE, "late"), START)
    with pytest.raises(PacketError):
        session.post()


def test_second_poll() -> None:
    """A second poll is an error that ends the session; the first is told to close."""
    session = polling()
    assert answered(session, START) is None

    with pytest.raises(PacketError):
        session.poll(START)

    assert session.closed == "transport error"
    assert session.answer(START) == b"1"
    assert session.gone


def test_second_post() -> None:
    """A second POST while one is under way ends the session; one after the other is fine."""
    session = polling()
    session.post()
    session.posting = False
    session.post()

    with pytest.raises(PacketError):
        session.post()

    assert session.closed == "transport error"


def test_lost_poll() -> None:
    """A client that hangs up on a poll has lost its session: packets may have got lost with it."""
    session = polling()
    assert answered(session, START) is None

    session.poll_lost()

    assert session.closed == "transport close"
    assert session.gone


def test_upgrade() -> None:
    """Probe, upgrade: what waits goes to the WebSocket."""
    session = probed()
    session.send(b"4hello")

    assert session.upgrade(UPGRADE, START) is None

    assert session.transport == "websocket"
    assert session.take() == [b"4hello"]
    assert not session.upgrading


def test_poll_during_an_upgrade() -> None:
    """A poll that waits while a WebSocket probes is soon answered with a noop, and once."""
    session = polling()
    assert answered(session, START) is None
    session.begin_upgrade(START)
    session.upgrade(PROBE, START)

    assert session.answer(START) is None
    due = session.deadline
    assert due < START + 0.3
    assert session.answer(due) == b"6"

    assert answered(session, due) is None
    assert session.deadline > due
    assert session.answer(session.deadline) == b"6"


def test_packets_during_an_upgrade() -> None:
    """Until the upgrade is complete packets go to the poll, so none is out of order."""
    session = probed()
    session.send(b"4hello")

    assert answered(session, START) == b"4hello"


def test_upgrade_after_a_ping() -> None:
    """An upgrade shows life: the heartbeat begins anew, whether or not a pong was awaited."""
    session = probed()
    session.tick(START + 0.3)

    session.upgrade(UPGRADE, START + 0.45)
    assert session.deadline == pytest.approx(START + 0.75)
    session.receive(PONG, START + 0.46)

    assert session.deadline == pytest.approx(START + 0.75)


@pytest.mark.parametrize(
    "packets",
    [
        [UPGRADE],
        [Packet(PacketType.PING)],
        [PROBE, PROBE],
        [PROBE, Packet(PacketType.MESSAGE, "x")],
    ],
)
def test_failed_upgrade(packets: list[Packet]) -> None:
    """A WebSocket that does not probe and then upgrade is to be closed; polling goes on."""
    session = polling()
    session.begin_upgrade(START)

    *before, wrong = packets
    for packet in before:
        session.upgrade(packet, START)
    with pytest.raises(PacketError):
        session.upgrade(wrong, START)
    session.upgrade_failed()

    assert not session.closed
    session.send(b"4still here")
    assert answered(session, START) == b"4still here"
    assert session.begin_upgrade(START)


def test_upgrade_takes_too_long() -> None:
    """An upgrade that is not completed in time is over, and the session is not."""
    settings = EngineSettings(upgrade_timeout=1000)
    session = polling(settings)
    session.begin_upgrade(START)
    assert session.deadline == START + 1

    session.tick(START + 1)

    assert not session.upgrading
    assert not session.closed
    with pytest.raises(PacketError):
        session.upgrade(PROBE, START + 1)


def test_second_websocket() -> None:
    """A session has one WebSocket, while it upgrades and after."""
    session = probed()
    assert not session.begin_upgrade(START)
    session.upgrade(UPGRADE, START)
    assert not session.begin_upgrade(START)
    assert not session.closed


def test_unread_packets_are_bounded() -> None:
    """A client that leaves too much unread is closed, and nothing is kept for it."""
    session = polling(EngineSettings(max_unsent=10_000))

    for _ in range(1000):
        session.send(b"4" + b"x" * 99)

    assert session.closed == "transport error"
    assert session.unsent == 0


def test_one_large_packet_is_not_too_much() -> None:
    """A single packet may be larger than what may wait."""
    session = polling(EngineSettings(max_unsent=100))

    session.send(b"4" + b"x" * 10_000)

    assert answered(session, START) == b"4" + b"x" * 10_000


def test_session_that_is_to_expire() -> None:
    """A session ends by itself when the application said so."""
    session = websocket()
    session.expires = START + 0.1

    session.tick(session.deadline)

    assert session.closed == "forced close"
