"""The environments of a cluster's processes: each has the settings that it reads, and no others."""

import socket
from collections.abc import Iterator, Mapping
from typing import Final

from deploy.data_dir import DataDir
from deploy.ports import PortPlan
from deploy.settings import Settings, without_settings
from shared.addresses import read_address
from shared.config import ConfigError
from shared.config import Settings as ProcessSettings
from shared.config.exposure import open_fault
from shared.config.owner import security_log
from shared.config.readers import Process, read_by
from shared.config.text import clean
from shared.storage.url import from_any_folder

LOCAL: Final = "127.0.0.0/8,::1"
"""Addresses from which processes on this machine connect to each other."""


class Environments:
    """The environments of the processes of one run of a cluster."""

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        plan: PortPlan,
        data_dir: DataDir,
        redis_url: str,
    ) -> None:
        """Prepare, and keep the operator's secret of this run in its file.

        Args:
            settings: of the cluster.
            environ: of the cluster.
            plan: its addresses.
            data_dir: its folder.
            redis_url: with the password.

        Raises:
            OSError: the folder cannot be written to.
        """
        self._settings = settings
        self._environ = environ
        self._plan = plan
        self._data_dir = data_dir
        self._common = {
            **environ,
            "ADMIN_HOST": settings.admin_host,
            "OPERATOR_SECRET": data_dir.operator_secret(settings.operator_secret),
            "DATA_DIR": str(data_dir.path),
            "SECURITY_LOG": (
                clean("SECURITY_LOG", environ.get("SECURITY_LOG", ""))
                or str(security_log(data_dir.path))
            ),
            "REDIS_URL": redis_url,
            # Not given: the file in DATA_DIR. A path that stood in a URL would be read as a part
            # of it.
            "DATABASE_URL": (
                from_any_folder(settings.database_url) if settings.database_url else ""
            ),
            # The cluster has tried them itself. What was ready once waits for as long as it takes.
            "START_SECONDS": "0",
            # Without it, the last lines of a process are lost in its buffer when it is killed.
            "PYTHONUNBUFFERED": "1",
        }

    def of_servers(self) -> dict[str, str]:
        """Return the environment of Redis and the load balancer, which read no setting of ours."""
        return without_settings(self._environ)

    def of_persisters(self) -> dict[str, str]:
        """Return what the environments of all persisters share."""
        return _readable(self._common, "persister")

    def of_gateways(self) -> dict[str, str]:
        """Return what the environments of all gateways share.

        Raises:
            OSError: the folder cannot be written to.
        """
        settings = self._settings
        return {
            **_readable(self._common, "gateway"),
            "HOST": settings.gateway_host,
            # So that a gateway knows whether strangers may come.
            "BALANCER_HOST": settings.host,
            # The load balancer speaks TLS; behind it the cluster speaks to itself.
            "TLS_CERT": "",
            "TLS_KEY": "",
            "TRUSTED_PROXIES": _trusted(settings, self._plan),
            "SECRET_KEYS": settings.secret_keys or self._data_dir.secret_keys(),
        }


def exposure_faults(settings: Settings, processes: ProcessSettings) -> Iterator[ConfigError]:
    """Yield what is wrong with serving clients on addresses that strangers can reach."""
    for name, host in settings.hosts.items():
        if fault := open_fault(processes, name, host):
            yield fault


def _readable(environ: Mapping[str, str], process: Process) -> dict[str, str]:
    """Return an environment with those settings only that a process reads."""
    names = read_by(process)
    read = {name: value for name, value in environ.items() if name in names}
    return {**without_settings(environ), **read}


def _trusted(settings: Settings, plan: PortPlan) -> str:
    """Return the proxies that gateways trust: the trusted proxies, and the load balancer.

    The load balancer connects to an address of this machine, and so from that address.
    """
    host = plan.gateway(1).reachable.host
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:  # which is said where the ports are looked at
        found = []
    own = {str(address) for *_, where in found if (address := read_address(str(where[0])))}
    return ",".join(filter(None, (str(settings.trusted_proxies), LOCAL, *sorted(own))))
