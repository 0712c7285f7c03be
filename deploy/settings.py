"""Settings of the cluster as a whole, read from the environment."""

import os
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.addresses import Networks
from shared.config import ConfigError, FilePath
from shared.config import Settings as ProcessSettings
from shared.config.loading import Values, metas, read
from shared.config.secrets import SecretKeys

Count = Annotated[int, Meta(ge=1, le=99, description="a whole number from 1 to 99")]
Port = Annotated[int, Meta(ge=1, le=65535, description="a port number from 1 to 65535")]
Connections = Annotated[int, Meta(ge=1, description="a whole number from 1 on")]
Trusted = Annotated[
    Networks, Meta(description="addresses and networks, such as 10.0.0.0/8,192.0.2.7")
]
Seconds = Annotated[float, Meta(gt=0, description="a number of seconds above 0")]
Balancer = Literal["haproxy", "caddy"]


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    """Settings of the cluster as a whole; its processes read the others by themselves.

    The names are those of the environment variables in lower case. The text below each is what
    `docs/reference/settings.md` says of it.
    """

    gateways: Count = 2
    """Number of gateways."""
    persisters: Count = 1
    """Number of persisters."""
    host: str = "127.0.0.1"
    """Address that the load balancer listens on, and nothing else."""
    port: Port = 8080
    """Port of the load balancer. Gateway n listens on `PORT+n`, the embedded Redis on
    `PORT+500`."""
    gateway_host: str = "127.0.0.1"
    """Address that the gateways listen on, past the load balancer, its TLS and its limits."""
    admin_host: str = "127.0.0.1"
    """Address that the operator's ports listen on."""
    admin_port: Port | None = None
    """Port of the cluster's status page and metrics. Gateway n has its own on `ADMIN_PORT+n`,
    persister n on `ADMIN_PORT+100+n`. Not given: `PORT+1000`."""
    data_dir: FilePath = FilePath(".cluster")
    """Folder of the data: the SQLite file, the files of Redis, keys, logs and process ids."""
    operator_secret: str | None = None
    """Secret of at least 32 characters that lets an operator act on the operator's ports. Not
    given: a random one for each run, in `DATA_DIR/run/operator_secret`."""
    redis_url: str | None = None
    """Address of a Redis or Valkey server of yours. Not given: the cluster runs its own."""
    database_url: str | None = None
    """Address of a database of yours. Not given: the SQLite file in `DATA_DIR`."""
    tls_cert: FilePath | None = None
    """Path of a certificate chain (PEM). With it the load balancer serves https and wss."""
    tls_key: FilePath | None = None
    """Path of the certificate's key (PEM). It may be in the file of the certificate."""
    load_balancer: Annotated[Balancer | None, Meta(description="haproxy or caddy")] = None
    """The load balancer: `haproxy` or `caddy`. Not given: HAProxy if there is one, else Caddy. One
    on PATH that is maintained comes before the one that is installed as a wheel."""
    log_format: Annotated[Literal["text", "json"], Meta(description="text or json")] = "text"
    """Format of log lines."""
    start_seconds: Annotated[float, Meta(ge=0, description="a number of seconds from 0 on")] = 30.0
    """Seconds that the first start of a cluster waits for a Redis and a database of yours; then it
    ends with exit code 2. `0`: it waits for as long as it takes, as later starts do."""
    drain_seconds: Seconds = 10.0
    """Seconds a gateway that is told to stop takes to send its clients elsewhere."""
    well_after: Seconds = 30.0
    """Seconds after which a process counts as started well. One that ends sooner, again and again,
    is started again after growing pauses, up to 15 s."""
    secret_keys: SecretKeys | None = None
    """Keys that sign grants, separated by commas, of at least 32 bytes each. Not given: keys of its
    own, kept in `DATA_DIR`."""
    trusted_proxies: Trusted = Networks.parse("")
    """Addresses and networks of proxies in front of the load balancer, separated by commas, whose
    `X-Forwarded-For` is believed."""
    max_connections: Connections = 2000
    """Connections that an address may have at a time, where rates are limited. Only with
    HAProxy."""
    no_color: str | None = None
    """Anything turns the colours of the output off."""

    @property
    def hosts(self) -> dict[str, str]:
        """The addresses on which clients are served, by the setting of each."""
        return {"HOST": self.host, "GATEWAY_HOST": self.gateway_host}


def environment() -> dict[str, str]:
    """Return a copy of this process' environment: the only place that reads it."""
    return dict(os.environ)


def known_names() -> frozenset[str]:
    """The names of all settings: of the cluster, and of its gateways and persisters."""
    return frozenset(
        (*Settings.__struct_encode_fields__, *ProcessSettings.__struct_encode_fields__)
    )


def without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for a program of others: settings, some of them secrets, left out."""
    known = known_names()
    return {name: value for name, value in environ.items() if name not in known}


def read_settings(environ: Mapping[str, str]) -> Values:
    """Read the settings in `environ`, and find all faults; each is one sentence."""
    found = read(Settings, environ)
    for field in msgspec.structs.fields(Settings):
        fault = found.faults.get(field.encode_name)
        wanted = [meta.description for meta in metas(field.type) if meta.description]
        if fault and wanted:
            found.faults[field.encode_name] = ConfigError(f"{fault}; it must be {wanted[0]}")
    return found


def parse(environ: Mapping[str, str]) -> Settings:
    """Return the settings in `environ`; a variable set to nothing counts as not set.

    Raises:
        ConfigError: A value is not what its setting takes. The text is one sentence.
    """
    given, faults = read_settings(environ)
    for fault in faults.values():
        raise fault
    return Settings(**given)
