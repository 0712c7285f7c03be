"""The processes of a cluster, and how each is started."""

import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import msgspec

from deploy.data_dir import DataDir
from deploy.ports import PortPlan
from deploy.processes.environments import Environments
from deploy.processes.file_limit import raise_file_limit
from deploy.processes.process import ProcessSpec
from deploy.servers.aof import repair_aof
from deploy.servers.balancer import balancer_process
from deploy.servers.balancer_program import find_balancer
from deploy.servers.discovery import Server, find_redis
from deploy.servers.redis import EmbeddedRedis
from deploy.servers.space import missing_space
from deploy.settings import Settings
from shared.config import Settings as ProcessSettings
from shared.config import load

ROOT = Path(__file__).resolve().parent.parent


class Servers(msgspec.Struct, frozen=True):
    """The server programs to run; `redis` is None if REDIS_URL is set."""

    redis: Server | None
    balancer: Server


class Members(msgspec.Struct, frozen=True):
    """The specifications of all processes of a cluster, by role.

    `redis_password` is that of the embedded Redis; empty where there is none.
    """

    redis: list[ProcessSpec]
    persisters: list[ProcessSpec]
    gateways: list[ProcessSpec]
    balancer: list[ProcessSpec]
    redis_password: str = ""

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
    """Return all processes of the cluster, and write the files that they read.

    These are the load balancer's configuration, that of Redis, and the secrets of this run.
    """
    embedded = EmbeddedRedis(servers.redis, plan.redis, data_dir) if servers.redis else None
    data_dir.redis_url_file.unlink(missing_ok=True)
    if embedded:
        embedded.write_files()
    redis_url = embedded.url if embedded else settings.redis_url or ""
    own = Environments(settings, environ, plan, data_dir, redis_url)
    server_environ, gateway_environ = own.of_servers(), own.of_gateways()
    return Members(
        redis=[_redis_process(embedded, server_environ, data_dir)] if embedded else [],
        persisters=list(_persisters(settings, own.of_persisters(), plan)),
        gateways=list(_gateways(settings, gateway_environ, plan)),
        balancer=[
            balancer_process(
                servers.balancer,
                settings,
                plan,
                data_dir,
                server_environ,
                raise_file_limit(),
                load(ProcessSettings, gateway_environ),
            )
        ],
        redis_password=embedded.password if embedded else "",
    )


def _redis_process(
    embedded: EmbeddedRedis, environ: Mapping[str, str], data_dir: DataDir
) -> ProcessSpec:
    return ProcessSpec(
        name="redis",
        command=embedded.command(),
        stdin=embedded.config,
        env=environ,
        cwd=data_dir.path,
        repair=partial(repair_aof, embedded.program, data_dir.path),
        obstacle=partial(missing_space, data_dir.path),
    )


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
