"""`python -m gateway`: one gateway, listening on HOST:PORT."""

import uvicorn

from gateway.app import make_app
from shared.config import Settings, load_or_exit
from shared.telemetry import configure

MOST_FRAME = 65_536
"""Bytes of a client's frame; a larger one ends its connection (close code 1009)."""


def main() -> None:
    """Read the settings and serve until SIGTERM or SIGINT."""
    settings = load_or_exit(Settings)
    configure(settings, settings.gateway_name)
    uvicorn.run(
        make_app(settings),
        host=settings.host,
        port=settings.port,
        ws="websockets-sansio",
        ws_max_size=MOST_FRAME,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(settings.drain_seconds),
    )


if __name__ == "__main__":
    main()
