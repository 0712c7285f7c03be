"""Facts about a request, read from the tables of actions: its errors, and who may ask it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from gateway.access import authorization
from gateway.api import targets
from gateway.api.actions import Action
from shared.model.commands import Command
from shared.protocol.errors import ERRORS, Code
from tools.reference import docstrings

UNSEEN: Final[Mapping[Callable[..., Any], tuple[Code, ...]]] = {
    targets.nothing: (),
    targets.user: (),
    targets.pair: (),
    targets.sender: (),
    targets.joined: ("not_joined", "forbidden"),
    targets.place: ("not_joined", "forbidden", "not_found"),
    targets.readable: ("not_joined", "forbidden", "not_found"),
    targets.chat: ("not_found",),
    targets.readable_chat: ("not_found",),
    targets.room: ("not_joined", "forbidden"),
    targets.entered: ("too_many", "forbidden"),
    targets.message: ("not_found", "forbidden"),
    targets.resumed: ("too_many",),
}
"""The errors of what finds what an action is about: there is no such thing, or too many."""


def errors_of(action: Action) -> list[Code]:
    """Return the errors of an action beside those that any request may get, in a fixed order."""
    codes = {*action.errors, *UNSEEN[action.find]}
    if action.reads:
        codes.add("overloaded")  # too many wait to read
    if action.rule in authorization.FORBIDDEN_MESSAGES or action.claims:
        codes.add("forbidden")
    return [code for code in ERRORS if code in codes]


def who_may(action: Action) -> str:
    """Return who may ask an action: a sentence."""
    return docstrings.function(authorization.__name__, getattr(action.rule, "__name__", ""))


def may_be_left_out(command: type[Command]) -> bool:
    """Return whether a request may come without data."""
    try:
        msgspec.convert({}, command)
    except msgspec.ValidationError:
        return False
    return True
