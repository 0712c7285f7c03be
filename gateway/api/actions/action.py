"""An action and a request of REST, as the tables declare them."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from gateway.access.authorization import Rule
from gateway.access.limits import Kind
from gateway.api import targets
from gateway.api.gateway import Gateway
from gateway.api.targets import Found
from gateway.protocols import payloads as out
from shared.model import commands
from shared.protocol.errors import Code

Handler = Callable[[Gateway, Any, Any, Any], object]
"""Takes the gateway, who asks, the command and its target (targets, where there are several).

Returns its outcome, or a coroutine that does: then the client's next frame waits for it.
"""


class Action(NamedTuple):
    """Something that can be asked, whole: how it is handled, and what `docs/reference` says of it.

    Attributes:
        command: what its data is read as; the docstring says what it does.
        rule: who may.
        rate: what it counts as for rate limits.
        handler: does it.
        find: finds what it is about.
        claims: the field of the command in which a client says who it is, if it has one.
        binds: whether that gives a client its name; else it only has to be the client's own.
        refused: answers in place of the error where the rule says no; it raises.
        reply: the type of the reply.
        events: what clients are sent because of it, the one who asks before the reply.
        errors: its own errors, beside those of `rule`, `rate`, `find` and `claims`.
    """

    command: type[commands.Command]
    rule: Rule
    rate: Kind
    handler: Handler
    find: Callable[[Gateway, Any, Any], Found] = targets.nothing
    claims: str = ""
    binds: bool = False
    refused: Handler | None = None
    reply: Any = out.EmptyPayload
    events: tuple[str, ...] = ()
    errors: tuple[Code, ...] = ()


class Request(NamedTuple):
    """A request of REST.

    Attributes:
        action: what is asked.
        name: its `operationId`.
        summary: what it does, for people.
        answer: what the answer holds, for people.
        status: of the answer.
    """

    action: Action
    name: str
    summary: str
    answer: str
    status: HTTPStatus = HTTPStatus.OK
