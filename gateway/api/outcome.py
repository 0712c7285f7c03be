"""Outcomes of handlers other than a plain reply."""

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

import msgspec

from shared.broker.rooms.send import Send
from shared.errors import ChatError

BackgroundReply = Coroutine[Any, Any, Any]
"""A coroutine that returns the reply; the client's next frame does not wait for it."""


class PendingSend(msgspec.Struct):
    """A send whose reply follows in the background; it needs no task, as every message uses it.

    Attributes:
        sent: the send.
        reply: makes the outcome once the send is done; its errors are answered to the client.
    """

    sent: Send
    reply: Callable[[Send], object]


class ReplyThen(NamedTuple):
    """A reply, and a function to call once the reply is in the outbox."""

    reply: object
    then: Callable[[], None]


class AlreadyReported(ChatError):
    """An error that the client got as an event already; only a request with an id gets it too."""
