"""Nothing can be asked that no rule is for."""

from starlette.endpoints import HTTPEndpoint
from starlette.routing import BaseRoute, Route

from gateway.api.actions import REQUESTS
from gateway.app import make_app
from shared.config import Settings, load
from shared.model.database import DatabaseIdentity
from shared.storage.installation import Installation

PUBLIC = {
    "/health/live",
    "/health/ready",
    "/openapi.json",
    "/",
    "/docs",
    "/docs/viewer",
    "/client",
    "/chat",
}
"""What anybody may fetch: it says nothing of rooms, chats or users."""


def requests(route: BaseRoute) -> set[str]:
    """What can be asked of a route of REST: `GET /chats/{chat}`."""
    if not isinstance(route, Route) or not isinstance(route.endpoint, type):
        return set()
    assert issubclass(route.endpoint, HTTPEndpoint)
    methods = ("get", "post", "put", "patch", "delete")
    path = route.path.replace(":path}", "}")
    return {f"{method.upper()} {path}" for method in methods if hasattr(route.endpoint, method)}


INSTALLATION = Installation("test", 8, DatabaseIdentity())


def test_every_request_is_an_action() -> None:
    """Each request of REST is an action of the table, which has a rule for it, and no other is."""
    routes = make_app(load(Settings, {}), INSTALLATION).routes
    asked = set().union(*map(requests, routes))
    assert asked == set(REQUESTS)


def test_nothing_else_is_served() -> None:
    """Beside REST there are only pages and signs of life, and the two ways into the chat."""
    routes = make_app(load(Settings, {}), INSTALLATION).routes
    others = {getattr(route, "path", "") for route in routes if not requests(route)}
    assert others - PUBLIC == {"/ws", "/socket.io"}
