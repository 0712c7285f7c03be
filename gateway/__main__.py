"""A gateway: serves clients on HOST:PORT until SIGTERM or SIGINT."""

import asyncio
import gc
import sys

from gateway.api.assembly import find_data, setting_faults
from gateway.app import make_app
from gateway.endpoints.serving import make_server
from shared.command_line import SETTINGS, command_line
from shared.config import ConfigError, Settings, load_or_exit, refuse
from shared.operator.listener import listen_or_exit
from shared.telemetry import configure


def main() -> None:
    """Read the command line and the settings, and serve until SIGTERM or SIGINT."""
    parser = command_line("gateway", __doc__, SETTINGS)
    parser.add_argument(
        "--check",
        action="store_true",
        help="say all that is wrong with the settings, start nothing",
    )
    checks = parser.parse_args().check
    settings = load_or_exit(Settings)
    if checks:
        faults = [f"{fault}\n" for fault in setting_faults(settings)]
        sys.stderr.writelines(faults)
        sys.exit(2 if faults else 0)
    configure(settings, settings.gateway_name)
    operator = listen_or_exit(settings)
    try:
        installation = asyncio.run(find_data(settings))
    except ConfigError as error:
        refuse(str(error))
    app = make_app(settings, installation, operator)
    server = make_server(app, settings)
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
