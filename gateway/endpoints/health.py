"""For load balancers: is this gateway alive, and is it of use. The operator's port says more."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.api.gateway import Gateway


async def live(_request: Request) -> Response:
    """200 while the process answers."""
    return JSONResponse({"status": "live"})


async def ready(request: Request) -> Response:
    """200 while this gateway can carry messages, else 503.

    A load balancer that asks for `?leaving=404` is told so of a gateway that leaves: it is still
    there for the clients that it has.
    """
    gateway: Gateway = request.app.state.gateway
    readiness = gateway.cluster.readiness
    if readiness.waits_for is None:
        return JSONResponse({"status": "ready"})
    leaving = readiness.draining and request.query_params.get("leaving") == "404"
    status = 404 if leaving else 503
    return JSONResponse({"status": "not ready"}, status_code=status)
