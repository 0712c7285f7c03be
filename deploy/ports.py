"""The addresses on which the processes of a cluster listen, and a check that they are free."""

import errno
import socket
from collections.abc import Iterator
from typing import NamedTuple

from deploy.settings import Settings
from shared.config import ConfigError

LAST_PORT = 65535
LOOPBACK = "127.0.0.1"
WILDCARDS = {"0.0.0.0": LOOPBACK, "::": "::1", "*": LOOPBACK}  # noqa: S104  read, not bound here


class Address(NamedTuple):
    """A host and a port, to listen on or to connect to."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address as the start of an HTTP URL."""
        return f"http://{self}"

    @property
    def reachable(self) -> "Address":
        """The address for a client on this machine: a wildcard cannot be connected to."""
        return Address(WILDCARDS.get(self.host, self.host), self.port)


class Listener(NamedTuple):
    """An address, the name of what listens there, and the settings that change it.

    Attributes:
        name: of the process, for a sentence.
        address: where it listens.
        port_setting: that its port follows from.
        host_setting: that its host follows from.
    """

    name: str
    address: Address
    port_setting: str
    host_setting: str = "HOST"


class PortPlan:
    """Every address of a cluster, derived from the settings of hosts and ports.

    Raises:
        ConfigError: A derived port is above 65535, or two of them are the same.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.balancer = Address(settings.host, settings.port)
        self.admin = Address(settings.admin_host, settings.admin_port or settings.port + 1000)
        self.redis = Address(LOOPBACK, settings.port + 500)
        self._check()

    @property
    def url(self) -> str:
        """The URL of the cluster for clients."""
        return f"https://{self.balancer}" if self._settings.tls_cert else self.balancer.url

    @property
    def redis_url(self) -> str:
        """The URL of the embedded Redis, without its password."""
        return f"redis://{self.redis}/0"

    def gateway(self, number: int) -> Address:
        """The address on which gateway `number`, counted from 1, serves clients."""
        return Address(self._settings.gateway_host, self.balancer.port + number)

    def gateway_admin(self, number: int) -> Address:
        """The address on which gateway `number`, counted from 1, serves status and metrics."""
        return Address(self.admin.host, self.admin.port + number)

    def persister_admin(self, number: int) -> Address:
        """The address on which persister `number`, counted from 1, serves its metrics."""
        return Address(self.admin.host, self.admin.port + 100 + number)

    def _check(self) -> None:
        """Refuse a plan that cannot work on any machine."""
        owners: dict[int, str] = {}
        for name, address, setting, _ in self._listeners():
            if address.port > LAST_PORT:
                value = self.admin.port if setting == "ADMIN_PORT" else self.balancer.port
                raise ConfigError(
                    f"{setting}={value} is too high: {name} would need port {address.port},"
                    f" and the last one is {LAST_PORT}"
                )
            if address.port in owners:
                raise ConfigError(
                    f"ADMIN_PORT={self.admin.port} is too close to PORT={self.balancer.port}:"
                    f" {owners[address.port]} and {name} would share port {address.port}"
                )
            owners[address.port] = name

    def taken(self) -> str | None:
        """Return a sentence about the first address that cannot be bound; None if all are free.

        Raises:
            ConfigError: A host is none of this machine.
        """
        for name, address, setting, host_setting in self._listeners():
            error = _bind_error(address)
            if error is None:
                continue
            port = f"port {address.port}"
            if address != self.balancer:
                port += f" ({name})"
            if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                raise ConfigError(
                    f"{host_setting}={address.host} is not an address of this machine"
                )
            if error.errno == errno.EADDRINUSE:
                return f"{port} is taken by another program: choose another with {setting}="
            return f"{port} cannot be used ({error.strerror}): choose another with {setting}="
        return None

    def _listeners(self) -> Iterator[Listener]:
        gateways = range(1, self._settings.gateways + 1)
        persisters = range(1, self._settings.persisters + 1)
        yield Listener("the load balancer", self.balancer, "PORT")
        for n in gateways:
            yield Listener(f"gateway-{n}", self.gateway(n), "PORT", "GATEWAY_HOST")
        if self._settings.redis_url is None:
            yield Listener("redis", self.redis, "PORT")
        setting = "ADMIN_PORT" if self._settings.admin_port else "PORT"
        operators = {"the status page": self.admin}
        operators |= {f"gateway-{n}'s metrics": self.gateway_admin(n) for n in gateways}
        operators |= {f"persister-{n}'s metrics": self.persister_admin(n) for n in persisters}
        for name, address in operators.items():
            yield Listener(name, address, setting, "ADMIN_HOST")


def _bind_error(address: Address) -> OSError | None:
    try:
        found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, where in found:
            with socket.socket(family, kind, protocol) as probe:
                # As servers do, so that connections of an earlier run in TIME_WAIT do no harm.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(where)
    except OSError as error:
        return error
    return None
