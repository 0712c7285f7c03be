"""The terminal's commands, options and lines."""

import re

import pytest

from parley_chat.events.kinds import (
    ChatDeleted,
    Message,
    MessageDeleted,
)
from parley_chat.terminal import options
from parley_chat.terminal.commands import HELP, Command, InvalidCommand, parse, parse_json
from parley_chat.terminal.places import ShownMessages
from tests.unit.clients.python.terminal.talk import said_to


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
        ("/dm bob", Command(command="dm", user="bob")),
        ("/dm 7", Command(command="dm", user=7)),
        ("/dm 007", Command(command="dm", user="007")),
        ("/dm 9007199254740991", Command(command="dm", user=9007199254740991)),
        ("/dm 9007199254740992", Command(command="dm", user="9007199254740992")),
        ("/dm ٣", Command(command="dm", user="٣")),
        ("/say bob it's  here", Command(command="say", user="bob", content="it's  here")),
        ("/say 'a b' hi", Command(command="say", user="a b", content="hi")),
        ("/say it's here", Command(command="say", user="it's", content="here")),
        ("/chats", Command(command="chats")),
        ("/online", Command(command="online")),
        ("/seen", Command(command="seen")),
        ("/delete", Command(command="delete")),
        ("/kick bob", Command(command="kick", user="bob")),
        ("/unban 7", Command(command="unban", user=7)),
        ("/moderator bob", Command(command="moderator", user="bob", on=True)),
        ("/moderator bob off", Command(command="moderator", user="bob", on=False)),
        ("/password", Command(command="password")),
        ("/password s3cret", Command(command="password", password="s3cret")),
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
        "/kick",
        "/moderator bob maybe",
        "/password a b",
        "/join",
        "/join a b c",
        '/join "open',
        "/history many",
        "/history ٣",
        "/history 0",
        "/history 1001",
        "/rooms all",
        "/typing",
        "/dm",
        "/dm a b",
        "/say",
        "/say bob",
        "/say 'a b'",
        "/chats all",
        "/delete 3",
    ],
)
def test_says_what_it_does_not_understand(line: str) -> None:
    """A command that is none is refused in a error_text, and is never said in the room."""
    with pytest.raises(InvalidCommand):
        parse(line)


def test_understands_scripts() -> None:
    """A script writes objects, or what a person would type."""
    line = '{"command": "say", "room": "r", "content": "/x", "id": 7}'
    assert parse_json(line) == Command(command="say", room="r", content="/x", id=7)
    assert parse_json("/rooms") == Command(command="rooms")
    for wrong in ("{", '{"command": "nope"}', '{"command": "say", "contents": "x"}', "{" * 9999):
        with pytest.raises(InvalidCommand):
            parse_json(wrong)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--nope"], "--nope"),
        (["ftp://host"], "ftp://host"),
        (["--wire", "xml"], "xml"),
        (["--password", "x"], "--room"),
        (["--user", "7", "--name", "ann"], "--user"),
        (["--user", "x" * 257], "name"),
        (["--name", "ann", "--dm", ""], "name"),
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
    direct = options.read(["--user", "7", "--dm", "bob"])
    assert (direct.user, direct.name, direct.dm) == (7, "7", "bob")


def test_remembers_what_was_shown() -> None:
    """The last `seq` and the user's own last message are known for each room and chat."""
    shown = ShownMessages()
    for event in (
        Message(room="den", id=9, seq=3, prev=2, sender="ann"),
        Message(room="den", id=8, seq=2, prev=1, sender="ann"),
        Message(room="den", id=10, seq=4, prev=3, sender="bob"),
        said_to("ann", "x", 1),
        said_to("ann", "y", 2),
        MessageDeleted(message_id=2048, seq=3, prev=2, chat_id=1),
    ):
        shown.take(event, "ann")
    assert (shown.last("den"), shown.last_own("den")) == (4, 9)
    assert (shown.last(1), shown.last_own(1)) == (2, 1024)
    shown.take(ChatDeleted(id=1), "ann")
    assert (shown.last(1), shown.last_own(1)) == (0, None)


def test_help_has_every_command() -> None:
    """Each command that can be typed is in the list that /help shows."""
    listed = set(re.findall(r"^/(\w+)", HELP, re.MULTILINE))
    typed = set(Command.__annotations__["command"].__args__) - {"typing"}
    assert listed == typed
