"""`python -m deploy.cluster --check`: every setting, where it comes from, and all that is wrong."""

import asyncio
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from deploy.data_dir import DataDir
from deploy.members import ROOT
from deploy.ports import PortPlan
from deploy.private import folder_fault
from deploy.processes.environments import exposure_faults
from deploy.servers.balancer_program import find_balancer, maintenance_notice
from deploy.servers.discovery import find_redis
from deploy.settings import Settings, known_names, read_settings
from shared.addresses import is_loopback
from shared.broker.transport.reach import reach_broker
from shared.broker.transport.url import check_broker_url
from shared.config import DATABASE_FILE, ConfigError
from shared.config import Settings as ProcessSettings
from shared.config.errors import is_secret
from shared.config.loading import read
from shared.config.owner import Owner, find_owner, security_log
from shared.config.text import PEM, clean
from shared.config.typos import near_misses
from shared.config.urls import without_secrets
from shared.storage.engine import Engine, open_engine
from shared.storage.installation import (
    NEW_PARTITIONS,
    check_settings,
    confirm_location,
    read_installation,
)
from shared.storage.reach import outage_as_unreachable, reach_database
from shared.tls.certificate import check_certificate

BAD_SETTING: Final = 2
HIDDEN: Final = "(hidden)"
NAMED_BY_CLUSTER: Final = frozenset({"BALANCER_HOST", "GATEWAY_NAME", "PERSISTER_NAME"})
ADDRESSES: Final = frozenset(
    {"HOST", "PORT", "ADMIN_HOST", "ADMIN_PORT", "GATEWAYS", "PERSISTERS", "DATA_DIR"}
)
"""Settings without which it cannot be known which ports a cluster uses."""


class Found(NamedTuple):
    """Value of a setting that the environment does not give.

    Attributes:
        value: as text.
        origin: `default`, or `data` for what the data folder or the database says.
    """

    value: str
    origin: str


class Check:
    """The settings of a cluster in one environment. Nothing is started, and nothing written."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._cluster = read_settings(environ)
        self._processes = read(ProcessSettings, environ)
        self._faults = {**self._processes.faults, **self._cluster.faults}
        self._settings = Settings(**self._cluster.given)
        self._data_dir = DataDir(Path(self._settings.data_dir))
        self._found = {
            "SECRET_KEYS": Found("(made at the first start)", "default"),
            "OPERATOR_SECRET": Found("(made at each start)", "default"),
            "NAMESPACE": Found("(made with the data)", "default"),
            "PARTITIONS": Found(str(NEW_PARTITIONS), "default"),
        }
        self._others: list[str] = []
        self._notice: str | None = None
        self._owner: Owner | None = None

    async def run(self) -> int:
        """Print the settings and all that is wrong with them; return the exit code, 0 or 2."""
        self._check_data_dir()
        self._check_cluster()
        await self._check_servers()
        await self._check_processes()
        wrong = list(dict.fromkeys([*map(str, self._faults.values()), *self._others]))
        _print([*self._lines(), *([] if wrong else ["", "nothing is wrong"])])
        for sentence in wrong:
            sys.stderr.write(f"{sentence}\n")
        return BAD_SETTING if wrong else 0

    def _lines(self) -> Iterator[str]:
        for name, default in _defaults().items():
            value, origin = self._shown(name, default)
            yield f"{name:24}{origin:13}{value}"
        yield from near_misses(self._environ, known_names())
        if self._notice:
            yield self._notice
        if self._owner:
            yield f"a cluster runs here: {self._owner.url} (pid {self._owner.pid})"

    def _shown(self, name: str, default: str) -> Found:
        if name in self._faults:
            return Found("(not valid)", "environment")
        text = clean(name, self._environ.get(name, ""))
        if not text:
            return self._found.get(name, Found(default, "default"))
        if is_secret(name):
            text = HIDDEN
        elif name.endswith("_URL"):
            text = without_secrets(text)
        elif PEM in text:
            text = "(a PEM)"
        return Found(text, "environment")

    def _check_cluster(self) -> None:
        settings = self._settings
        with self._noting():
            if settings.tls_cert or settings.tls_key:
                check_certificate(settings.tls_cert or "", settings.tls_key or "")
        with self._noting():
            if not settings.redis_url:
                find_redis()
        with self._noting():
            balancer = find_balancer(settings)
            self._found["LOAD_BALANCER"] = Found(balancer.kind, "default")
            if not is_loopback(settings.host):
                self._notice = maintenance_notice(balancer, settings.host)
        if ADDRESSES & self._faults.keys():
            return
        with self._noting():
            plan = PortPlan(settings)
            self._found["ADMIN_PORT"] = Found(str(plan.admin.port), "default")
            self._found["REDIS_URL"] = Found(f"{plan.redis_url} (its own)", "default")
            if self._owner is None and (taken := plan.taken()):
                raise ConfigError(taken)

    def _check_data_dir(self) -> None:
        path = self._data_dir.path
        self._found["DATA_DIR"] = Found(str(path), "default")
        self._found["DATABASE_URL"] = Found(f"{path / DATABASE_FILE} (SQLite)", "default")
        self._found["SECURITY_LOG"] = Found(str(security_log(path)), "default")
        with self._noting(), self._data_dir.explained():
            if fault := folder_fault(path):
                raise ConfigError(fault)
            self._owner = find_owner(path)
            if (path / "secret_keys").exists():
                self._found["SECRET_KEYS"] = Found(HIDDEN, "data")
            there = next(each for each in (path, *path.parents) if each.exists())
            if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
                raise ConfigError(
                    f"DATA_DIR={path} cannot be written: choose another with DATA_DIR="
                )

    async def _check_servers(self) -> None:
        """Connect to the servers of the operator's own, once, and read what the database says."""
        with self._noting():
            if self._settings.redis_url:
                check_broker_url(self._settings.redis_url)
                await reach_broker(self._settings.redis_url)
        with self._noting():
            database = self._settings.database_url or self._data_dir.path / DATABASE_FILE
            engine = open_engine(database, writes=False)
            try:
                await self._read_database(engine)
            finally:
                await engine.dispose()

    async def _read_database(self, engine: Engine) -> None:
        await reach_database(engine)
        with outage_as_unreachable(engine):
            found = await read_installation(engine)
            if found is None:
                return
            self._found["NAMESPACE"] = Found(found.namespace, "data")
            self._found["PARTITIONS"] = Found(str(found.partitions), "data")
            given = self._processes.given
            check_settings(found, given.get("partitions"), given.get("namespace", ""))
            await confirm_location(engine, found)

    async def _check_processes(self) -> None:
        """Let a gateway check what only gateways know, as which settings of identity go together.

        What is not valid by itself is left out, so that all other faults are found, too.
        """
        with self._noting():
            processes = ProcessSettings(**self._processes.given)
            self._found["ALLOWED_ORIGINS"] = Found(str(processes.origins), "default")
            partitions = processes.partitions or int(self._found["PARTITIONS"].value)
            self._others += map(str, exposure_faults(self._settings, processes))
            self._found["MAX_BACKLOG"] = Found(str(processes.backlog_of(partitions)), "default")
        good = {name: text for name, text in self._environ.items() if name not in self._faults}
        gateway = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", "--check"),
            cwd=ROOT,
            env={**good, "TLS_CERT": "", "TLS_KEY": "", "REDIS_URL": "", "DATABASE_URL": ""},
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await gateway.communicate()
        self._others += said.decode(errors="replace").splitlines()

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except ConfigError as error:
            self._others.append(str(error))


def check(environ: Mapping[str, str]) -> int:
    """Print the settings in `environ` and all that is wrong with them; return the exit code."""
    return asyncio.run(Check(environ).run())


def _print(lines: Iterable[str]) -> None:
    try:
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
    except BrokenPipeError:
        # Such as `| head`. What the interpreter flushes at its end is lost, too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _defaults() -> dict[str, str]:
    """The names of all settings, those of the cluster first, and their defaults as text."""
    fields = (*msgspec.structs.fields(Settings), *msgspec.structs.fields(ProcessSettings))
    found: dict[str, str] = {}
    for field in fields:
        if field.encode_name not in NAMED_BY_CLUSTER:
            found.setdefault(field.encode_name, str(field.default or "") or "-")
    return found
