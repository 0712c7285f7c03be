"""The terminal's commands, options and lines."""

import re
from datetime import UTC, datetime

import pytest

from gateway.client.events import (
    CaughtUp,
    Connected,
    Disconnected,
    Event,
    Message,
    Notification,
    TypingEvent,
)
from gateway.client.terminal import options
from gateway.client.terminal.commands import Command, NotUnderstood, parse, parse_json
from gateway.client.terminal.screen import Screen, escape

AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("hello  you ", Command(command="say", content="hello  you")),
        ("//shrug", Command(command="say", content="/shrug")),
        ("/join general", Command(command="join", room="general")),
        ('/join "a room" s3cret', Command(command="join", room="a room", password="s3cret")),
        ("/create den x", Command(command="create", room="den", password="x")),
        ("/leave", Command(command="leave")),
        ("/history 5", Command(command="history", limit=5)),
        ("/history", Command(command="history")),
        ("/quit", Command(command="quit")),
        ("  ", None),
    ],
)
def test_understands_what_is_typed(line: str, command: Command | None) -> None:
    """A line is a command, or something to say, or nothing."""
    assert parse(line) == command


@pytest.mark.parametrize(
    "line",
    [
        "/nope",
        "/join",
        "/join a b c",
        '/join "open',
        "/history many",
        "/history ٣",
        "/history 0",
        "/history 1001",
        "/rooms all",
        "/typing",
    ],
)
def test_says_what_it_does_not_understand(line: str) -> None:
    """A command that is none is refused in a sentence, and is never said in the room."""
    with pytest.raises(NotUnderstood):
        parse(line)


def test_understands_scripts() -> None:
    """A script writes objects, or what a person would type."""
    line = '{"command": "say", "room": "r", "content": "/x", "id": 7}'
    assert parse_json(line) == Command(command="say", room="r", content="/x", id=7)
    assert parse_json("/rooms") == Command(command="rooms")
    for wrong in ("{", '{"command": "nope"}', '{"command": "say", "contents": "x"}', "{" * 9999):
        with pytest.raises(NotUnderstood):
            parse_json(wrong)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--nope"], "--nope"),
        (["ftp://host"], "ftp://host"),
        (["--wire", "xml"], "xml"),
        (["--password", "x"], "--room"),
    ],
)
def test_refuses_arguments_in_one_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Arguments that are not valid end it with one line and exit code 2."""
    with pytest.raises(SystemExit) as ended:
        options.read(arguments)
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error


def test_reads_arguments() -> None:
    """Addresses, name, room and format are taken from the command line."""
    chosen = options.read(["h:1", "h:2", "--name", "ann", "--room", "r", "--wire", "msgpack"])
    assert (chosen.url, chosen.name, chosen.room) == (["h:1", "h:2"], "ann", "r")
    assert options.read([]).url == ["http://127.0.0.1:8080"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("a\rb\x07\x08\x7f", "a\\rb\\x07\\x08\\x7f"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("\ufeff\u200b\u2028", "\\ufeff\\u200b\\u2028"),
        ("é 漢\u3000字 👩\u200d💻", "é 漢\u3000字 👩\u200d💻"),
    ],
)
def test_what_others_write_cannot_drive_the_terminal(text: str, shown: str) -> None:
    """Control characters and marks that turn the writing around are shown as escapes."""
    assert escape(text) == shown


@pytest.mark.parametrize(
    "event",
    [
        Message(room="\x1b]", id=1, seq=1, prev=0, sender="a\x1b[1m", content="x\x1b[0m\n\x1b"),
        Notification(content="\x1b[2J", created_at=AT, room="\x1b"),
        TypingEvent(room="r\x1b", text="", username="\x1b[1m"),
        Disconnected(reason="\x1b[1m"),
        CaughtUp(room="\x1b", count=2),
    ],
)
def test_no_event_has_a_way_around_it(event: Event) -> None:
    """Whatever part of an event holds control characters, its line has none."""
    screen = Screen("ann", colours=False)
    screen.rooms = 2
    line = screen.line(event)
    assert line is not None
    assert re.search(r"[^\n\x20-\x7e]", line) is None


def test_shows_messages() -> None:
    """A message is a line with time and sender, its further lines set in."""
    screen = Screen("ann", colours=False)
    message = Message(
        room="den", id=1, seq=1, prev=0, sender="bob", content="one\ntwo", created_at=AT
    )
    clock = f"{AT.astimezone():%H:%M}"
    assert screen.line(message) == f"{clock} bob: one\n      | two"
    screen.rooms = 2
    assert str(screen.line(message)).startswith(f"{clock} [den] bob: one")


def test_names_have_their_colour() -> None:
    """A name has the same colour everywhere, and not every name the same one."""
    one, other = Screen("x", colours=True), Screen("y", colours=True)
    assert one.name("bob") == other.name("bob")
    assert len({one.name(name).split("m")[0] for name in ("ann", "bob", "cat", "dan")}) > 1


def test_tells_of_the_connection() -> None:
    """The connection's ups and downs are told in a line each."""
    screen = Screen("ann", colours=False)
    told = [
        screen.line(Connected(url="ws://h/ws", again=False)),
        screen.line(Disconnected(reason="the connection broke")),
        screen.line(Connected(url="ws://h/ws", again=True)),
        screen.line(CaughtUp(room="r", count=14)),
    ]
    assert told == [
        "-- connected: ws://h/ws",
        "-- the connection broke, reconnecting...",
        "-- connected again: ws://h/ws",
        "-- caught up 14 messages",
    ]


def test_typing_is_told_once() -> None:
    """Somebody who begins to type is told of once, and again after having stopped."""
    screen = Screen("ann", colours=False)
    begins = TypingEvent(room="r", text="", username="bob")
    stops = TypingEvent(room="r", text="")
    told = [screen.line(event) for event in (begins, begins, stops, begins)]
    assert told == ["-- bob is typing...", None, None, "-- bob is typing..."]
