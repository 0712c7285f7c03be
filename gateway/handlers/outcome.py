"""How a handler ends, beside returning its reply."""

from collections.abc import Coroutine
from typing import Any

from shared.errors import ChatError

Later = Coroutine[Any, Any, Any]
"""The reply is on its way: the connection's next frame need not wait for it."""


class ToldAlready(ChatError):
    """The client was told by an event of its own; only a request with an id gets the error."""
