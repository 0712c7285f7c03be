"""The operator's port of a gateway: status page, metrics and readiness."""

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route

from gateway.api.gateway import Gateway
from gateway.endpoints import health
from gateway.endpoints.hosts import HostCheck
from gateway.endpoints.operator.acting import drain_route
from gateway.endpoints.operator.disconnecting import disconnect_route
from gateway.endpoints.slashes import Slashes
from gateway.endpoints.web import HEADERS, WEB, Files
from shared.metrics import CONTENT_TYPE, exposition
from shared.web.hosts import Hosts


def make_admin(gateway: Gateway) -> Starlette:
    """Make the ASGI application of a gateway's operator's port."""

    async def show_status(_request: Request) -> Response:
        status = await gateway.cluster.status.inspect()
        return Response(msgspec.json.encode(status), media_type="application/json")

    async def ready(_request: Request) -> Response:
        waits_for = gateway.cluster.readiness.waits_for
        return JSONResponse({"waitsFor": waits_for}, status_code=503 if waits_for else 200)

    settings = gateway.settings
    public, hosts = settings.public_url, Hosts(settings.public_url, [settings.admin_host])
    app = Starlette(
        middleware=[
            Middleware(Slashes, folders=("/status/",)),
            Middleware(HostCheck, hosts=hosts, public=public),
        ],
        routes=[
            Route("/", status_page),
            Mount("/status", Files(WEB / "status")),
            Route("/status.json", show_status),
            Route("/metrics", metrics),
            Route("/health/live", health.live),
            Route("/health/ready", ready),
            drain_route(gateway),
            disconnect_route(gateway),
        ],
    )
    app.state.gateway = gateway  # for `HostCheck`, which writes refusals to the trail
    app.router.redirect_slashes = False  # see `Slashes`
    return app


async def status_page(_request: Request) -> Response:
    """`GET /`: the status page."""
    return FileResponse(WEB / "status" / "index.html", headers=HEADERS)


async def metrics(_request: Request) -> Response:
    """`GET /metrics`: the metrics in Prometheus's text format."""
    return Response(exposition(), headers={"Content-Type": CONTENT_TYPE})
