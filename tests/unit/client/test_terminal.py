"""The terminal's commands, options and lines."""

import re
from datetime import UTC, datetime

import pytest

from gateway.client.events import (
    CaughtUp,
    ChatDeleted,
    ChatInfo,
    ChatsList,
    Connected,
    Disconnected,
    Event,
    Message,
    MessageDeleted,
    MessageSeen,
    NewMessage,
    Notification,
    OnlineUsers,
    Seen,
    TypingEvent,
    UserId,
)
from gateway.client.terminal import options
from gateway.client.terminal.commands import HELP, Command, NotUnderstood, parse, parse_json
from gateway.client.terminal.places import Shown
from gateway.client.terminal.screen import Screen, escape

AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def said_to(sender: UserId, content: str, seq: int = 1, *, chat: int = 1) -> NewMessage:
    receiver = "bob" if sender == "ann" else "ann"
    return NewMessage(
        chat_id=chat,
        id=seq * 1024,
        seq=seq,
        prev=seq - 1,
        sender_id=sender,
        receiver_id=receiver,
        content=content,
        created_at=AT,
    )


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
        ("/dm 1234567890123456", Command(command="dm", user="1234567890123456")),
        ("/dm ٣", Command(command="dm", user="٣")),
        ("/say bob it's  here", Command(command="say", user="bob", content="it's  here")),
        ("/say 'a b' hi", Command(command="say", user="a b", content="hi")),
        ("/say it's here", Command(command="say", user="it's", content="here")),
        ("/chats", Command(command="chats")),
        ("/online", Command(command="online")),
        ("/seen", Command(command="seen")),
        ("/delete", Command(command="delete")),
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
        (["--user", "7", "--name", "ann"], "--user"),
        (["--user", " x"], "name"),
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
        said_to(sender="\x1b[1m", content="\x1b[0m"),
        ChatsList(chats=[ChatInfo(1, "a\x1b", "b\x1b", AT, 1, said_to("x", "\x1b"))]),
        OnlineUsers(users=["\x1b"]),
        MessageDeleted(message_id=1, room="\x1b"),
    ],
)
def test_no_event_has_a_way_around_it(event: Event) -> None:
    """Whatever part of an event holds control characters, its line has none."""
    screen = Screen("ann", colours=False)
    screen.places = 2
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
    screen.places = 2
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


def test_direct_messages_say_with_whom() -> None:
    """A direct message names the other user wherever the reader is, and tells who said it."""
    screen = Screen("ann", colours=False)
    clock = f"{AT.astimezone():%H:%M}"
    assert screen.line(said_to("bob", "hi")) == f"{clock} [@bob] bob: hi"
    assert screen.line(said_to("ann", "hello", 2)) == f"{clock} [@bob] ann: hello"
    assert screen.line(said_to(7, "psst", chat=2)) == f"{clock} [@7] 7: psst"


def test_what_happens_in_a_chat_is_told_quietly() -> None:
    """Having seen is a tick, typing is told once; what one did oneself elsewhere is not told."""
    screen = Screen("ann", colours=False)
    screen.line(said_to("bob", "hi"))
    typing = TypingEvent(chat_id=1, text="", username="bob")
    told = [
        screen.line(MessageSeen(message_id=1024, chat_id=1)),
        screen.line(Seen(user="bob", seq=1, chat_id=1)),
        screen.line(Seen(user="bob", seq=1, room="den")),
        screen.line(Seen(user="ann", seq=1, chat_id=1)),
        screen.line(typing),
        screen.line(typing),
        screen.line(MessageDeleted(message_id=1024, chat_id=1)),
        screen.line(ChatDeleted(id=1)),
        screen.line(CaughtUp(chat_id=1, count=0)),
        screen.line(CaughtUp(chat_id=1, count=1)),
    ]
    assert told == [
        "-- [@bob] ✓ seen",
        "-- [@bob] ✓ seen",
        "-- ✓ seen by bob",
        None,
        "-- [@bob] bob is typing...",
        None,
        "-- [@bob] a message was deleted",
        "-- [@bob] the chat was deleted",
        None,
        "-- [@bob] caught up 1 message",
    ]
    assert Screen("ann", colours=True).status("✓ seen") == "\x1b[2m-- ✓ seen\x1b[0m"


def test_who_came_and_went() -> None:
    """Who is online is told in full at first, then who came and who went, and else nothing."""
    screen = Screen("ann", colours=False)
    lists: list[list[UserId]] = [[7, "bob"], [7, "bob"], [7, "cat"]]
    assert [screen.line(OnlineUsers(users=users)) for users in lists] == [
        "-- online: 7, bob",
        None,
        "-- cat is online\n-- bob went offline",
    ]


def test_lists_chats() -> None:
    """A chat of a list is a line: with whom, how much is unread, what was said last."""
    screen = Screen("ann", colours=False)
    talked = ChatInfo(1, "ann", "bob", AT, 2, said_to("bob", "one\ntwo"))
    quiet = ChatInfo(2, 7, "ann", AT)
    assert [screen.chat(talked), screen.chat(quiet)] == ["bob (2 unread): one", "7"]
    assert screen.line(ChatsList(chats=[talked])) == "-- unread: bob (2 unread): one"


def test_remembers_what_was_shown() -> None:
    """The last place and one's own last message are known for each room and chat."""
    shown = Shown()
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
