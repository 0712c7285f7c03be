"""PendingRequests and answers beyond one connection."""

import pytest

from parley_chat.connection.pending import PendingRequests, Request
from parley_chat.errors import ChatError, ConnectionLost


def posted(
    requests: PendingRequests, event: str, data: object = None, *, idempotent: bool = True
) -> Request:
    request = requests.add(event, data, room=None, idempotent=idempotent)
    request.posted = True
    return request


async def test_answers_find_their_request() -> None:
    """Replies and errors go to the request of their id, in whatever order they come."""
    requests = PendingRequests()
    first, second = posted(requests, "a"), posted(requests, "b")
    requests.reply(second.id, {"n": 2})
    requests.refuse(first.id, ChatError("forbidden", "no"))
    requests.reply(99, {})
    assert (await second.done).data == {"n": 2}
    with pytest.raises(ChatError, match="no"):
        await first.done
    assert len(requests) == 0


async def test_what_comes_beside_a_reply() -> None:
    """An event that belongs to an answer goes to the oldest request for it, by its room."""
    requests = PendingRequests()
    other, mine = (posted(requests, "joinRoom", {"room": room}) for room in ("x", "y"))
    assert requests.beside("messageHistory", "y", [1])
    assert requests.beside("passwordStatus", "y", data=True)
    assert not requests.beside("rooms", None, [])
    requests.reply(mine.id, {})
    assert (await mine.done).beside == [1]
    assert other.beside is None
    # The server has another spelling of the name.
    assert requests.beside("messageHistory", "X", [2])
    requests.reply(other.id, {})
    assert (await other.done).beside == [2]
    assert not requests.beside("messageHistory", "z", [3])


async def test_a_list_of_chats_that_nobody_asked_for() -> None:
    """The list that coming online brings is an event, also while another list is asked for."""
    requests = PendingRequests()
    coming = posted(requests, "userOnline")
    asked = posted(requests, "getChats")
    assert not requests.beside("chatsList", None, [1])
    requests.reply(coming.id, {})
    assert requests.beside("chatsList", None, [2])
    posted(requests, "userOnline")
    assert requests.beside("chatsList", None, [3])
    requests.reply(asked.id, {})
    assert (await asked.done).beside == [3]


async def test_messages_come_to_who_asked_first() -> None:
    """Of several requests for messages, which do not say of which chat, the first is answered."""
    requests = PendingRequests()
    first, second = posted(requests, "getMessages", {"chatId": 1}), posted(requests, "getMessages")
    assert requests.beside("loadMessages", None, ["a"])
    requests.reply(first.id, {})
    assert requests.beside("loadMessages", None, ["b"])
    requests.reply(second.id, {})
    assert [(await one.done).beside for one in (first, second)] == [["a"], ["b"]]


async def test_the_notification_of_a_refusal() -> None:
    """A notification of a room one is asking to enter is part of the refusal."""
    requests = PendingRequests()
    posted(requests, "joinRoom", {"room": "x"})
    assert requests.is_refusal("notification", "x")
    assert not requests.is_refusal("notification", "y")
    assert not requests.is_refusal("typing", "x")


async def test_a_lost_connection() -> None:
    """What may be done twice is sent again in order, what was not sent waits, the rest fails."""
    requests = PendingRequests()
    again = posted(requests, "message", {"content": "hi"})
    once = posted(requests, "deleteMessages", idempotent=False)
    direct = posted(requests, "sendMessage", {"content": "hi"})
    waiting = requests.add("createRoom", {}, room=None, idempotent=False)
    requests.connection_lost()
    with pytest.raises(ConnectionLost):
        await once.done
    assert requests.unposted(lambda _: True) == [again, direct, waiting]
    for send in (again, direct):
        assert send.frame()["data"] == {"content": "hi", "resend": True}
    assert waiting.frame()["data"] == {}


async def test_no_other_connection() -> None:
    """When there will be no other connection, everything fails."""
    requests = PendingRequests()
    waiting = posted(requests, "message")
    requests.fail_all("closed")
    with pytest.raises(ConnectionLost, match="closed"):
        await waiting.done
