"""Turning the names that a command has of users into the names of the users that it means."""

from collections.abc import Coroutine
from typing import Any

from msgspec.structs import replace

from gateway.access.authorization import Principal
from gateway.api.actions.action import Action
from gateway.api.gateway import Gateway
from gateway.rooms.client import Client
from shared.model import commands


def with_users(
    gateway: Gateway, action: Action, asker: Principal, command: commands.Command
) -> commands.Command | Coroutine[Any, Any, commands.Command]:
    """Return the command with the names of the users that it means, or a coroutine that does."""
    names: dict[str, str] = {}
    for field in action.users:
        typed = getattr(command, field)
        # A number is a name that has one spelling.
        if isinstance(typed, str):
            name = _own_name(asker, typed) or gateway.access.user_names.known(typed)
            if name is None:
                return _find_users(gateway, action, asker, command)
            names[field] = name
    return _with_names(action, asker, command, names)


async def _find_users(
    gateway: Gateway, action: Action, asker: Principal, command: commands.Command
) -> commands.Command:
    fields = {field: getattr(command, field) for field in action.users}
    typed = {field: name for field, name in fields.items() if isinstance(name, str)}
    find = gateway.access.user_names.find
    names = {field: _own_name(asker, name) or await find(name) for field, name in typed.items()}
    return _with_names(action, asker, command, names)


def _own_name(asker: Principal, typed: str) -> str | None:
    """Return the asker's name if it is typed as it is, or as the client gave it; else None.

    It needs no look-up, whose answer may have changed. Example: Ann connects as ` ann` while the
    broker, which knows `Ann`, is away, and becomes `ann`. Once it is back, ` ann` would stand for
    `Ann`, and what she sends with `sender: " ann"` would be refused as another user's.
    """
    given = asker.given_name if isinstance(asker, Client) else None
    return asker.username if typed in (asker.username, given) else None


def _with_names(
    action: Action, asker: Principal, command: commands.Command, names: dict[str, str]
) -> commands.Command:
    """Return the command with these names in its fields, and note how a client gives its own."""
    if action.binds and isinstance(asker, Client):
        for field, name in names.items():
            if asker.username in (None, name):
                asker.given_name = getattr(command, field)
    changes = {field: name for field, name in names.items() if name != getattr(command, field)}
    return replace(command, **changes) if changes else command
