"""How numbers, texts and null may be written in the data of a request."""

import json
import math
import struct
from collections.abc import Callable, Iterator
from typing import Any

import msgpack
import msgspec
import pytest

from gateway.api.actions import EVENTS
from gateway.protocols.frames import Frame, StructFormat
from gateway.protocols.json_frames import JSON
from gateway.protocols.msgpack_frames import MSGPACK
from gateway.protocols.payloads import user_out
from gateway.protocols.socketio.frames import SOCKETIO
from shared.errors import ChatError
from shared.model import commands
from shared.model.commands import Command

TOP = 2**53 - 1

Reads = Callable[[object, type[Command]], Any]


def _reads(wire: StructFormat, dump: Callable[[object], bytes]) -> Reads:
    return lambda data, kind: wire.command(Frame("x", msgspec.Raw(dump(data))), kind)


@pytest.fixture(params=["json", "msgpack", "msgpack with short floats", "socket.io"])
def read(request: pytest.FixtureRequest) -> Reads:
    """Reads data as a command, over each wire format."""
    return {
        "json": _reads(JSON, lambda data: json.dumps(data).encode()),
        "msgpack": _reads(MSGPACK, msgpack.packb),
        "msgpack with short floats": _reads(
            MSGPACK, lambda data: msgpack.packb(data, use_single_float=True)
        ),
        "socket.io": _reads(SOCKETIO, lambda data: json.dumps(data).encode()),
    }[request.param]


def refused(read: Reads, data: object, kind: type[Command]) -> str:
    with pytest.raises(ChatError) as caught:
        read(data, kind)
    assert caught.value.code == "bad_request"
    return caught.value.message


@pytest.mark.parametrize("written", [17, 17.0, "17"])
def test_an_integer_may_be_a_float_or_text(read: Reads, written: object) -> None:
    """Every field that takes an integer takes `17.0` and `"17"` for 17."""
    assert read(written, commands.GetMessages).chat_id == 17
    assert read({"messageId": written}, commands.MarkAsSeen).message_id == 17
    assert read({"chatId": written, "seq": written}, commands.Seen).seq == 17
    page = read({"chatId": written, "before": written, "limit": written}, commands.History)
    assert (page.chat_id, page.before, page.limit) == (17, 17, 17)
    assert read({"limit": written}, commands.GetRooms).limit == 17
    lost = read({"rooms": {"a": written}, "chats": {"17": written}}, commands.Resume)
    assert (lost.rooms, lost.chats) == ({"a": 17}, {17: 17})
    sent = {"senderId": 1, "receiverId": 2, "content": "x", "chatId": written}
    assert read(sent, commands.SendChatMessage).chat_id == 17


@pytest.mark.parametrize("written", [7, 7.0, "7"])
def test_a_user_is_the_same_however_it_is_written(read: Reads, written: object) -> None:
    """`7`, `7.0` and `"7"` are one user, who comes back as 7."""
    for given in (written, {"userId": written}):
        assert user_out(read(given, commands.GetChats).user) == 7
    pair = read({"user1Id": written, "user2Id": "ann"}, commands.CreateChat)
    assert (str(pair.user1_id), pair.user2_id) == ("7", "ann")


@pytest.mark.parametrize("number", [0, 10**15, 1234567890123456, TOP])
def test_large_user_ids_come_back_as_integers(read: Reads, number: int) -> None:
    """Integers up to 2^53 - 1 are users, and come back as integers."""
    for written in (number, str(number)):
        assert user_out(read(written, commands.UserOnline).user) == number


@pytest.mark.parametrize(
    "text", [str(TOP + 1), "007", "-7", "+7", "7.0", "1e3", "\u0667", "9" * 39]
)
def test_other_texts_are_users_as_they_stand(read: Reads, text: str) -> None:
    """A text that is not the decimal form of such an integer is a user as it stands."""
    assert user_out(read(text, commands.UserOnline).user) == text


@pytest.mark.parametrize("number", [TOP + 1, -1, 7.5, 2.0**60, True])
def test_numbers_that_are_no_users(read: Reads, number: float) -> None:
    """A number that is negative, has a fraction or is too large is no user."""
    assert "userId" in refused(read, {"userId": number}, commands.UserOnline)


NO_IDS: list[Any] = [
    *(0, -1, 1.5, -1.0, TOP + 1, 2.0**53, True, False, None, [], {}, [17]),
    *("", " ", " 17", "17 ", "17\n", "+17", "-17", "017", "1e3", "0x10", "1_0", "17.0", "17n"),
    *(
        "\u0663",
        "\uff11\uff17",
        "\u00b2",
        "9" * 16,
        "9" * 39,
        "9" * 5000,
        "true",
        "null",
        "NaN",
        "a",
    ),
]


@pytest.mark.parametrize("given", NO_IDS, ids=lambda given: repr(given)[:20])
def test_what_is_no_id_is_refused(read: Reads, given: object) -> None:
    """What is not an id is `bad_request`, wherever an id belongs, and the text names the field."""
    assert "messageId" in refused(read, {"messageId": given}, commands.DeleteMessage)
    if given is not None:
        assert "chatId" in refused(read, {"room": "a", "chatId": given}, commands.History)
    if isinstance(given, str):
        assert "chats" in refused(read, {"chats": {given: 0}}, commands.Resume)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("code", [">d", ">f"])
def test_floats_that_are_no_numbers(number: float, code: str) -> None:
    """NaN and infinities, which MessagePack can carry, are refused as ids, places and users."""
    head = b"\xcb" if code == ">d" else b"\xca"
    value = msgspec.Raw(head + struct.pack(code, number))
    for kind, name in (
        (commands.GetMessages, "chatId"),
        (commands.GetRooms, "limit"),
        (commands.UserOnline, "userId"),
    ):
        frame = Frame("x", msgspec.Raw(msgspec.msgpack.encode({name: value})))
        with pytest.raises(ChatError, match=name) as caught:
            MSGPACK.command(frame, kind)
        assert caught.value.code == "bad_request"


KINDS = sorted({action.command for action in EVENTS.values()}, key=lambda kind: kind.__name__)
EXAMPLES: dict[str, object] = {
    "room": "a",
    "name": "a",
    "username": "ann",
    "user": "ann",
    "userId": 7,
    "token": "t",
    "content": "x",
    "chatId": 17,
    "messageId": 17,
    "seq": 3,
    "moderator": True,
    "user1Id": 1,
    "user2Id": 2,
    "senderId": 1,
    "receiverId": 2,
}


def _fields(kind: type[Command], *, required: bool) -> Iterator[str]:
    for field in msgspec.structs.fields(kind):
        if field.required is required:
            yield field.encode_name


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_null_is_as_if_left_out(read: Reads, kind: type[Command]) -> None:
    """`null` for an optional field is as if it were left out; a required one is named."""
    least = {name: EXAMPLES[name] for name in _fields(kind, required=True)}
    if kind in (commands.History, commands.Seen, commands.Typing):
        least["room"] = "a"
    expected = read(least, kind)
    optional = [name for name in _fields(kind, required=False) if name not in least]
    for name in optional:
        assert read({**least, name: None}, kind) == expected
    assert read({**least, **dict.fromkeys(optional)}, kind) == expected
    for name in _fields(kind, required=True):
        assert name in refused(read, {**least, name: None}, kind)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_null_as_data_is_as_if_nothing_was_given(read: Reads, kind: type[Command]) -> None:
    """`null` as the data of a request means no fields; the first required one is named."""
    required = list(_fields(kind, required=True))
    if required:
        assert any(name in refused(read, None, kind) for name in required)
    elif kind is not commands.History and kind is not commands.Typing:
        assert read(None, kind) == kind()
