"""The operator's port, bound before anything else: a process that cannot have it ends at once."""

import socket
import sys

from shared.config import Settings, refuse


def listen_or_exit(settings: Settings) -> socket.socket | None:
    """Bind ADMIN_PORT at ADMIN_HOST; None where no port is given.

    An address that this machine does not have ends the process as a bad setting does; a port that
    another has, with exit code 1: it may become free.
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
