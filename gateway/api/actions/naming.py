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
    changes: dict[str, str] = {}
    for field in action.users:
        typed = getattr(command, field)
        # A number is a name that has one spelling.
        if not isinstance(typed, str):
            continue
        if action.binds and isinstance(asker, Client):
            asker.given_name = typed
        if typed == asker.username:
            continue
        name = gateway.access.user_names.known(typed)
        if name is None:
            return _find_users(gateway, action, command)
        if name != typed:
            changes[field] = name
    return replace(command, **changes) if changes else command


async def _find_users(
    gateway: Gateway, action: Action, command: commands.Command
) -> commands.Command:
    fields = {field: getattr(command, field) for field in action.users}
    typed = {field: name for field, name in fields.items() if isinstance(name, str)}
    find = gateway.access.user_names.find
    return replace(command, **{field: await find(name) for field, name in typed.items()})
