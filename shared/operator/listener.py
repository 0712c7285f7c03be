"""The operator's port, bound at the start, so that a process that cannot bind it ends at once."""

import socket
import sys

from shared.config import Settings, refuse


def listen_or_exit(settings: Settings) -> socket.socket | None:
    """Bind ADMIN_PORT at ADMIN_HOST; None if no port is set.

    An address that this machine does not have ends the process with exit code 2, as any bad setting
    does. A port in use ends it with exit code 1, so that a supervisor tries again.
    """
    if settings.admin_port is None:
        return None
    host, port = settings.admin_host, settings.admin_port
    try:
        [(family, _, _, _, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        refuse(f"ADMIN_HOST={host} is not valid: {error.strerror}")
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        sys.exit(f"ADMIN_PORT={port} cannot be used: {error.strerror}")
    return listener
