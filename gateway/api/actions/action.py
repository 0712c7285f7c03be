"""The types of the tables' entries: an action, and a REST request."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from gateway.access.authorization import Rule
from gateway.access.rates.limits import Kind
from gateway.api import targets
from gateway.api.gateway import Gateway
from gateway.api.targets import Found
from gateway.protocols import payloads as out
from shared.model import commands
from shared.protocol.errors import Code

Handler = Callable[[Gateway, Any, Any, Any], object]
"""Takes the gateway, the principal, the command and its target (or a list of targets).

Returns its outcome, or a coroutine that does. The client's next frame waits for such a coroutine.
"""


class Action(NamedTuple):
    """An action that a principal can ask for, with its handling and its entry in the reference.

    Attributes:
        command: type that the data is decoded to; its docstring says what the action does.
        rule: decides if the principal may do it.
        rate: kind of rate limit that counts it.
        handler: carries it out.
        find: finds its target.
        users: names of the command's fields that name users. With AUTH_MODE=open what was typed
            there is turned into users' names first.
        claims: name of the command's field in which a client gives its own name; empty for none.
        binds: True if that field gives a nameless client its name; otherwise it only has to be the
            client's own.
        refused: called instead of raising the error where the rule refuses; it raises its own.
        reply: type of the reply.
        events: events that clients get because of it.
        long_answer: True if its answer may be long. It is made once the client has taken most of
            what it was sent before, so that answers end no client that reads.
        errors: codes of its own errors, beside those of `rule`, `rate`, `find` and `claims`.
        reads: True if it reads the broker or SQL beyond one record. Then it works in a slot of
            `Access.reads`. Sends and typing do not, but where the room or chat that they name has
            to be looked up.
        cost: returns the tokens of its rate that a command costs, if it is not one; they are taken
            before the work.
    """

    command: type[commands.Command]
    rule: Rule
    rate: Kind
    handler: Handler
    find: Callable[[Gateway, Any, Any], Found] = targets.nothing
    users: tuple[str, ...] = ()
    claims: str = ""
    binds: bool = False
    refused: Handler | None = None
    reply: Any = out.EmptyPayload
    events: tuple[str, ...] = ()
    long_answer: bool = False
    errors: tuple[Code, ...] = ()
    reads: bool = False
    cost: Callable[[Any], int] | None = None


class Request(NamedTuple):
    """A REST request.

    Attributes:
        action: the action that it asks for.
        name: its `operationId` in the OpenAPI document.
        summary: description of the request in the document.
        answer: description of the answer in the document.
        status: HTTP status of the answer.
    """

    action: Action
    name: str
    summary: str
    answer: str
    status: HTTPStatus = HTTPStatus.OK
