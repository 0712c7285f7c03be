"""What clients may ask."""

from typing import Any

import msgspec
import pytest

from shared.model import commands
from shared.model.commands import Command

ROOM = {"room": "general"}


def take(kind: type[Command], **fields: object) -> Any:  # noqa: ANN401 - each command has its own fields
    return msgspec.convert(fields, kind)


def refused(kind: type[Command], **fields: object) -> str:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(fields, kind)
    return str(caught.value)


def test_a_name_is_not_longer_than_what_may_be_typed() -> None:
    """A name of a room is taken as it is typed, up to twice the length that a new one may have."""
    assert take(commands.JoinRoom, room=" General ").room == " General "
    assert take(commands.JoinRoom, room="x" * 256).room == "x" * 256
    refused(commands.JoinRoom, room="x" * 257)
    refused(commands.JoinRoom, room="")


@pytest.mark.parametrize("text", ["a\x00b", "\x00", "a\ud800", "\udfff"])
def test_texts_that_no_database_holds(text: str) -> None:
    """NUL and halves of surrogate pairs are refused wherever a text is taken."""
    refused(commands.SendMessage, room="general", content=text)
    refused(commands.SendMessage, room="general", content="x", clientMsgId=text)
    refused(commands.CreateRoom, name="general", password=text)
    refused(commands.JoinRoom, room="general", password=text)
    refused(commands.GetRooms, after=text)
    refused(commands.CreateRoom, name=text)
    refused(commands.JoinRoom, room=text)
    refused(commands.SetUsername, username=text)
    refused(commands.Kick, room=text, user="ann")
    refused(commands.Kick, room="general", user=text)
    refused(commands.Resume, rooms={text: 0})


def test_content() -> None:
    """A message says something; line ends and every writing may be in it."""
    assert take(commands.SendMessage, **ROOM, content="a\nb\t🎈").content == "a\nb\t🎈"
    assert "length >= 1" in refused(commands.SendMessage, **ROOM, content="")
    refused(commands.SendMessage, **ROOM)
    refused(commands.SendMessage, content="x")


def test_message_ids() -> None:
    """A clientMsgId is one to 128 characters, or none."""
    assert take(commands.SendMessage, **ROOM, content="x").client_msg_id is None
    assert take(commands.SendMessage, **ROOM, content="x", clientMsgId="7").client_msg_id == "7"
    refused(commands.SendMessage, **ROOM, content="x", clientMsgId="")
    refused(commands.SendMessage, **ROOM, content="x", clientMsgId="x" * 129)
    refused(commands.SendMessage, **ROOM, content="x", clientMsgId=7)


def test_history_has_one_bound() -> None:
    """A page is before a place or after one, not both."""
    assert take(commands.History, **ROOM).limit == 100
    assert take(commands.History, **ROOM, before=5).before == 5
    assert take(commands.History, **ROOM, after=0).after == 0
    assert "not both" in refused(commands.History, **ROOM, before=5, after=1)


@pytest.mark.parametrize("seq", [-1, 2**53, 1.5, "5", None, True])
def test_places_are_whole_numbers(seq: object) -> None:
    """A place is a whole number from 0 to below 2^53."""
    refused(commands.History, **ROOM, before=seq)
    refused(commands.History, **ROOM, after=seq)


@pytest.mark.parametrize("limit", [0, -1, 1001, "10"])
def test_limits(limit: object) -> None:
    """A page has 1 to 1000 items."""
    refused(commands.History, **ROOM, limit=limit)
    refused(commands.GetRooms, limit=limit)


def test_unknown_fields_are_passed_over() -> None:
    """A field that is not known changes nothing."""
    assert take(commands.LeaveRoom, **ROOM, color="red") == take(commands.LeaveRoom, **ROOM)
