"""Serves the operator's port beside the clients', in the same event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.types import ASGIApp


class _Server(uvicorn.Server):
    """Leaves signals to the server of the clients."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@contextlib.asynccontextmanager
async def serving_admin(app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    """Serve an application for as long as the block runs.

    Args:
        app: the application.
        listener: bound to the operator's port.
    """
    config = uvicorn.Config(
        app,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]), name="admin")
    try:
        yield
    finally:
        server.should_exit = True
        await running
