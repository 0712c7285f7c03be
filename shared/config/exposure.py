"""The rule that a server which strangers can reach does not believe any name."""

from shared.addresses import is_loopback
from shared.config.errors import ConfigError
from shared.config.settings import Settings


def open_fault(settings: Settings, name: str, host: str) -> ConfigError | None:
    """Return why clients must not be served on an address; None if they may.

    Args:
        settings: of the gateways.
        name: the setting that has the address.
        host: the address.
    """
    if settings.auth_mode != "open" or settings.allow_open == "yes" or is_loopback(host):
        return None
    return ConfigError(
        f"{name}={host} is open to other machines, and with AUTH_MODE=open anyone can"
        " use any name: set AUTH_MODE=jwt, or ALLOW_OPEN=yes if you want that"
    )
