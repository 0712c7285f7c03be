"""The processes of a cluster: their command lines and environments."""

import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import msgspec

from deploy.data_dir import DataDir
from deploy.ports import PortPlan
from deploy.processes.file_limit import raise_file_limit
from deploy.processes.process import ProcessSpec
from deploy.servers.aof import repair_aof
from deploy.servers.balancer import balancer_process
from deploy.servers.discovery import Server, find_balancer, find_redis, redis_command
from deploy.servers.space import missing_space
from deploy.settings import Settings, known_names
from shared.addresses import read_address
from shared.config import Settings as ProcessSettings
from shared.config import load
from shared.storage.url import from_any_folder

LOCAL = "127.0.0.0/8,::1"
"""Addresses from which processes on this machine connect to each other."""

ROOT = Path(__file__).resolve().parent.parent


class Servers(msgspec.Struct, frozen=True):
    """The server programs to run; `redis` is None if REDIS_URL is set."""

    redis: Server | None
    balancer: Server


class Members(msgspec.Struct, frozen=True):
    """The specifications of all processes of a cluster, by role."""

    redis: list[ProcessSpec]
    persisters: list[ProcessSpec]
    gateways: list[ProcessSpec]
    balancer: list[ProcessSpec]

    @property
    def names(self) -> list[str]:
        """The names of all processes."""
        parts = (self.redis, self.persisters, self.gateways, self.balancer)
        return [spec.name for part in parts for spec in part]


def find_servers(settings: Settings) -> Servers:
    """Find the server programs to run: Redis and the load balancer.

    Raises:
        ConfigError: One of them is neither installed nor on PATH.
    """
    redis = None if settings.redis_url else find_redis()
    return Servers(redis, find_balancer(settings))


def plan_members(
    settings: Settings,
    environ: Mapping[str, str],
    servers: Servers,
    plan: PortPlan,
    data_dir: DataDir,
) -> Members:
    """Return all processes of the cluster, and write the load balancer's configuration."""
    own_environ = _own_environment(settings, environ, plan, data_dir)
    # Redis and the load balancer need none of our settings, some of which are secrets.
    known = known_names()
    server_environ = {name: value for name, value in environ.items() if name not in known}
    redis = []
    if servers.redis is not None:
        redis = [
            ProcessSpec(
                name="redis",
                command=redis_command(servers.redis, plan, data_dir),
                env=server_environ,
                cwd=data_dir.path,
                repair=partial(repair_aof, servers.redis.path, data_dir.path),
                obstacle=partial(missing_space, data_dir.path),
            )
        ]
    return Members(
        redis=redis,
        persisters=list(_persisters(settings, own_environ, plan)),
        gateways=list(_gateways(settings, own_environ, plan)),
        balancer=[
            balancer_process(
                servers.balancer,
                settings,
                plan,
                data_dir,
                server_environ,
                raise_file_limit(),
                limited=load(ProcessSettings, own_environ).limited,
            )
        ],
    )


def _own_environment(
    settings: Settings, environ: Mapping[str, str], plan: PortPlan, data_dir: DataDir
) -> dict[str, str]:
    """Return the common environment of all gateways and persisters."""
    return {
        **environ,
        "HOST": settings.host,
        "ADMIN_HOST": settings.admin_host,
        # The load balancer speaks TLS; behind it the cluster speaks to itself.
        "TLS_CERT": "",
        "TLS_KEY": "",
        "DATA_DIR": str(data_dir.path),
        "REDIS_URL": settings.redis_url or plan.redis_url,
        # Not given: the file in DATA_DIR. A path that stood in a URL would be read as a part of it.
        "DATABASE_URL": from_any_folder(settings.database_url) if settings.database_url else "",
        # The cluster has tried them itself. What was ready once waits for as long as it takes.
        "START_SECONDS": "0",
        "TRUSTED_PROXIES": _trusted(settings, plan),
        "SECRET_KEYS": settings.secret_keys or data_dir.secret_keys(),
        # Without it, the last lines of a process are lost in its buffer when it is killed.
        "PYTHONUNBUFFERED": "1",
    }


def _trusted(settings: Settings, plan: PortPlan) -> str:
    """Return the proxies that gateways trust: the trusted proxies, and the load balancer."""
    own = read_address(plan.balancer.reachable.host)
    return ",".join(filter(None, (str(settings.trusted_proxies), LOCAL, str(own or ""))))


def _persisters(
    settings: Settings, environ: Mapping[str, str], plan: PortPlan
) -> Iterator[ProcessSpec]:
    for n in range(1, settings.persisters + 1):
        name = f"persister-{n}"
        own = {"PERSISTER_NAME": name, "ADMIN_PORT": str(plan.persister_admin(n).port)}
        yield _python_process(name, "persister", {**environ, **own})


def _gateways(
    settings: Settings, environ: Mapping[str, str], plan: PortPlan
) -> Iterator[ProcessSpec]:
    for n in range(1, settings.gateways + 1):
        name = f"gateway-{n}"
        own = {
            "GATEWAY_NAME": name,
            "PORT": str(plan.gateway(n).port),
            "ADMIN_PORT": str(plan.gateway_admin(n).port),
        }
        yield _python_process(name, "gateway", {**environ, **own})


def _python_process(name: str, module: str, environ: Mapping[str, str]) -> ProcessSpec:
    return ProcessSpec(
        name=name,
        command=(sys.executable, "-m", module),
        env=environ,
        cwd=ROOT,
        refuses_settings=True,
    )
