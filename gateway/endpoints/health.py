"""Health checks for load balancers. The operator's port also names what a gateway waits for."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.api.gateway import Gateway


async def live(_request: Request) -> Response:
    """`GET /health/live`: 200 while the process answers."""
    return JSONResponse({"status": "live"})


async def ready(request: Request) -> Response:
    """`GET /health/ready`: 200 while this gateway can carry messages, else 503.

    With `?leaving=404` a gateway that drains answers 404. A load balancer can then send it no new
    clients and keep the connections that it has.
    """
    gateway: Gateway = request.app.state.gateway
    readiness = gateway.cluster.readiness
    if readiness.waits_for is None:
        return JSONResponse({"status": "ready"})
    leaving = readiness.draining and request.query_params.get("leaving") == "404"
    status = 404 if leaving else 503
    return JSONResponse({"status": "not ready"}, status_code=status)
