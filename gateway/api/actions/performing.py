"""Performing of actions: find the target, apply the rule, run the handler."""

from collections.abc import Coroutine
from types import CoroutineType
from typing import Any

from gateway.access.authorization import Verdict
from gateway.api import login
from gateway.api.actions.action import Action
from gateway.api.actions.naming import with_users
from gateway.api.actions.refusals import Asker, note_refusal
from gateway.api.gateway import Gateway
from gateway.api.targets import Target
from gateway.connections.link import PendingWork
from gateway.rooms.client import Client
from shared.model import commands


def perform(gateway: Gateway, action: Action, asker: Asker, command: commands.Command) -> object:
    """Carry out an action, if its rule allows it.

    Returns:
        The handler's outcome, or a coroutine that returns it.

    Raises:
        ChatError: the principal may not do it, or it cannot be done.
    """
    if action.reads:
        return _perform_in_slot(gateway, action, asker, command)
    return _perform(gateway, action, asker, command)


async def _perform_in_slot(
    gateway: Gateway, action: Action, asker: Asker, command: commands.Command
) -> object:
    """Carry out an action that reads, once it is paid for and it is the asker's turn to read."""
    limits = gateway.access.limits
    if action.cost is not None and limits is not None and (more := action.cost(command) - 1):
        permit = limits.ask(action.rate, asker, more)  # the first one is paid for
        if permit is not None:
            await permit
    async with gateway.access.reads.slot(asker):
        outcome = _perform(gateway, action, asker, command)
        return await outcome if isinstance(outcome, CoroutineType) else outcome


def _perform(gateway: Gateway, action: Action, asker: Asker, command: commands.Command) -> object:
    if action.users:
        named = with_users(gateway, action, asker, command)
        if not isinstance(named, commands.Command):
            return _perform_when_named(gateway, action, asker, named)
        command = named
    return _perform_named(gateway, action, asker, command)


async def _perform_when_named(
    gateway: Gateway,
    action: Action,
    asker: Asker,
    naming: Coroutine[Any, Any, commands.Command],
) -> object:
    outcome = _perform_named(gateway, action, asker, await naming)
    return await outcome if isinstance(outcome, CoroutineType) else outcome


def _perform_named(
    gateway: Gateway, action: Action, asker: Asker, command: commands.Command
) -> object:
    if action.claims and (name := getattr(command, action.claims)) is not None:
        _check_claim(gateway, action, asker, name)
    found = action.find(gateway, asker, command)
    if isinstance(found, Target):
        return _perform_on(gateway, action, asker, command, found)
    return _perform_when_found(gateway, action, asker, command, found)


async def _perform_when_found(
    gateway: Gateway,
    action: Action,
    asker: Asker,
    command: commands.Command,
    finding: PendingWork,
) -> object:
    found = await finding
    if isinstance(found, Target):
        outcome = _perform_on(gateway, action, asker, command, found)
    else:
        allowed = [_if_allowed(gateway, action, asker, command, each) for each in found]
        outcome = action.handler(gateway, asker, command, allowed)
    return await outcome if isinstance(outcome, CoroutineType) else outcome


def _if_allowed(
    gateway: Gateway, action: Action, asker: Asker, command: commands.Command, target: Target
) -> Target:
    """Return one of several targets, if the rule allows it.

    One that the principal may not know of is replaced by an empty one, which the handler answers
    like a target that does not exist.
    """
    authorization = gateway.access.authorization
    verdict = authorization.judge(action.rule, asker, target)
    if verdict is Verdict.ALLOWED:
        return target
    note_refusal(gateway, asker, command, target, verdict)
    refusal = authorization.refusal(action.rule, verdict, asker, target)
    return Target(unseen=lambda: refusal)


def _perform_on(
    gateway: Gateway, action: Action, asker: Asker, command: commands.Command, target: Target
) -> object:
    authorization = gateway.access.authorization
    verdict = authorization.judge(action.rule, asker, target)
    if verdict is Verdict.ALLOWED:
        return action.handler(gateway, asker, command, target)
    note_refusal(gateway, asker, command, target, verdict)
    if action.refused is not None:
        return action.refused(gateway, asker, command, target)
    raise authorization.refusal(action.rule, verdict, asker, target)


def _check_claim(gateway: Gateway, action: Action, asker: Asker, name: object) -> None:
    """Check the name that a command gives, or bind it to the client if it has none."""
    if not isinstance(asker, Client):
        raise TypeError("a REST request has its name from its token, not from a command")
    if action.binds:
        login.bind(gateway, asker, str(name), "name")
    else:
        asker.check_own(str(name))
