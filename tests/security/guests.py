"""What the tests of guests share: addresses that no other test uses, and who comes from them."""

from contextlib import AsyncExitStack
from itertools import count

from tests.security.doors import Door, enter, pass_for
from tests.support.peer import Peer, Refusal

_numbers = count(1)


def another(network: str = "203.0.113") -> str:
    """An address of a network that no other test uses."""
    return f"{network}.{next(_numbers)}"


async def come(
    stack: AsyncExitStack, url: str, address: str, door: Door = "json", user: str = ""
) -> Peer:
    """A client of an address that is let in and logged in: a guest, or a user with a token.

    Raises:
        Refusal: it is not let in.
    """
    shown = pass_for(user) if user else ""
    peer = await stack.enter_async_context(enter(door, url, "welcome=1", shown, address))
    await peer.request("getRooms")
    return peer


def is_rated(refusal: Refusal) -> bool:
    """Whether a request was refused by a rate that says when to come again; else raise it."""
    if refusal.code == "rate_limited" and refusal.retryable and refusal.retry_after:
        return True
    raise refusal
