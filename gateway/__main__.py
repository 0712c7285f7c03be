"""A gateway: serves clients on HOST:PORT until SIGTERM or SIGINT."""

import asyncio
import gc

from gateway.api.build import find_data
from gateway.app import make_app
from gateway.endpoints.serving import DrainingServer, server_config
from shared.command_line import SETTINGS, command_line
from shared.config import ConfigError, Settings, load_or_exit, refuse
from shared.listener import listen_or_exit
from shared.telemetry import configure


def main() -> None:
    """Read the command line and the settings, and serve until SIGTERM or SIGINT."""
    command_line("gateway", __doc__, SETTINGS).parse_args()
    settings = load_or_exit(Settings)
    configure(settings, settings.gateway_name)
    operator = listen_or_exit(settings)
    try:
        installation = asyncio.run(find_data(settings))
    except ConfigError as error:
        refuse(str(error))
    app = make_app(settings, installation, operator)
    server = DrainingServer(server_config(app, settings), app)
    # What is loaded by now lives as long as the process, so the collector need not visit it again.
    # Connections and messages free themselves by their reference counts: full collections are rare.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    server.run()
    if not server.started:
        raise SystemExit(3)


if __name__ == "__main__":
    main()
