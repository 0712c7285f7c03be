"""For load balancers and operators: is this gateway alive, and is it of use."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.services import Services


async def live(_request: Request) -> Response:
    """200 while the process answers."""
    return JSONResponse({"status": "live"})


async def ready(request: Request) -> Response:
    """200 while this gateway can carry messages, else 503 and what it waits for.

    A load balancer that asks for `?leaving=404` is told so of a gateway that leaves: it is still
    there for the clients that it has.
    """
    services: Services = request.app.state.services
    waits_for = services.readiness.waits_for
    if waits_for is None:
        return JSONResponse({"status": "ready"})
    leaving = services.readiness.draining and request.query_params.get("leaving") == "404"
    status = 404 if leaving else 503
    return JSONResponse({"status": "not ready", "waits_for": waits_for}, status_code=status)
