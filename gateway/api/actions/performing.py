"""Doing what somebody asks: find what an action is about, apply its rule, run its handler."""

from types import CoroutineType

from gateway.access.authorization import Principal, Verdict
from gateway.api import login, targets
from gateway.api.actions.action import Action
from gateway.api.gateway import Gateway
from gateway.api.targets import Target
from gateway.connections.websocket import PendingWork
from gateway.rooms.client import Client
from shared.model import commands


def perform(
    gateway: Gateway, action: Action, asker: Principal, command: commands.Command
) -> object:
    """Do what somebody asks, if they may.

    Returns:
        The handler's outcome, or a coroutine that returns it.

    Raises:
        ChatError: they may not, or it cannot be done.
    """
    if action.claims and (name := getattr(command, action.claims)) is not None:
        _check_claim(gateway, action, asker, name)
    found = action.find(gateway, asker, command)
    if isinstance(found, Target):
        return _perform_on(gateway, action, asker, command, found)
    return _perform_when_found(gateway, action, asker, command, found)


async def _perform_when_found(
    gateway: Gateway,
    action: Action,
    asker: Principal,
    command: commands.Command,
    finding: PendingWork,
) -> object:
    found = await finding
    if isinstance(found, Target):
        outcome = _perform_on(gateway, action, asker, command, found)
    else:
        # Each is judged by itself; of one that the asker may not know of nothing is left.
        judge = gateway.access.authorization.judge
        seen = [
            each if judge(action.rule, asker, each) is Verdict.ALLOWED else targets.NOTHING
            for each in found
        ]
        outcome = action.handler(gateway, asker, command, seen)
    return await outcome if isinstance(outcome, CoroutineType) else outcome


def _perform_on(
    gateway: Gateway, action: Action, asker: Principal, command: commands.Command, target: Target
) -> object:
    authorization = gateway.access.authorization
    verdict = authorization.judge(action.rule, asker, target)
    if verdict is Verdict.ALLOWED:
        return action.handler(gateway, asker, command, target)
    if action.refused is not None:
        return action.refused(gateway, asker, command, target)
    raise authorization.refusal(action.rule, verdict, target)


def _check_claim(gateway: Gateway, action: Action, asker: Principal, name: object) -> None:
    """Hold a client to who it says it is; requests of REST say it nowhere but in their token."""
    if not isinstance(asker, Client):
        raise TypeError("only clients say who they are in a command")
    if action.binds:
        login.bind(gateway, asker, str(name))
    else:
        asker.check_own(str(name))
