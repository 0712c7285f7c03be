"""`POST /disconnect`: the operator ends all connections of a user, on all gateways."""

from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from gateway.api.gateway import Gateway
from gateway.endpoints.operator.acting import acting_route
from gateway.endpoints.rest.bodies import read_body
from shared.model.commands import Command
from shared.model.fields import UserId, check_text
from shared.operator.acting import Answer, done


class Disconnect(Command, frozen=True, kw_only=True):
    """End the connections of a user.

    Attributes:
        user: the user's name, in exactly this spelling.
    """

    user: UserId

    def __post_init__(self) -> None:
        check_text(str(self.user))


class Disconnecting(msgspec.Struct, frozen=True):
    """The user whose connections end within two seconds."""

    disconnecting: str


def disconnect_route(gateway: Gateway) -> Route:
    """Make the route. The user may come back; see docs/operate/revoke.md."""

    async def disconnect(request: Request) -> Answer:
        user = str((await read_body(request, Disconnect)).user)
        await gateway.cluster.revocations.disconnections.add(user)
        return done(Disconnecting(user), HTTPStatus.ACCEPTED, on=f"user {user}")

    return acting_route("/disconnect", gateway, disconnect)
