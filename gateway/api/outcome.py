"""How a handler ends, beside returning its reply."""

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

import msgspec

from shared.broker.rooms.send import Send
from shared.errors import ChatError

BackgroundReply = Coroutine[Any, Any, Any]
"""The reply is on its way: the client's next frame need not wait for it."""


class PendingSend(msgspec.Struct):
    """As `BackgroundReply`, of one send and without a task: the way of every message.

    Attributes:
        sent: what the reply waits for.
        reply: makes the outcome of it once it is done; what it raises is answered like any error.
    """

    sent: Send
    reply: Callable[[Send], object]


class ReplyThen(NamedTuple):
    """A reply, and what is to be done once it is on its way."""

    reply: object
    then: Callable[[], None]


class AlreadyReported(ChatError):
    """The client was told by an event of its own; only a request with an id gets the error."""
