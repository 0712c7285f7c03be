"""Settings of the cluster as a whole, read from the environment."""

import os
import re
import typing
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.addresses import Networks
from shared.config import ConfigError, load

Count = Annotated[int, Meta(ge=1, le=99, description="a whole number from 1 to 99")]
Port = Annotated[int, Meta(ge=1, le=65535, description="a port number from 1 to 65535")]
Connections = Annotated[int, Meta(ge=1, description="a whole number from 1 on")]
Trusted = Annotated[
    Networks, Meta(description="addresses and networks, such as 10.0.0.0/8,192.0.2.7")
]
Seconds = Annotated[float, Meta(gt=0, description="a number of seconds above 0")]
Balancer = Literal["haproxy", "caddy"]


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    """What the cluster itself needs to know; its processes read the rest by themselves.

    The names are those of the environment variables in lower case.
    """

    gateways: Count = 2
    persisters: Count = 1
    host: str = "127.0.0.1"
    port: Port = 8080
    admin_host: str = "127.0.0.1"
    admin_port: Port | None = None
    data_dir: str = ".cluster"
    redis_url: str | None = None
    database_url: str | None = None
    # PEM files; with them the load balancer serves https and wss on PORT.
    tls_cert: str | None = None
    tls_key: str | None = None
    load_balancer: Annotated[Balancer | None, Meta(description="haproxy or caddy")] = None
    log_format: Annotated[Literal["text", "json"], Meta(description="text or json")] = "text"
    drain_seconds: Seconds = 10.0
    # A process that lived so long was well: its next death is the first of a row again.
    well_after: Seconds = 30.0
    secret_keys: str | None = None
    trusted_proxies: Trusted = Networks.parse("")
    # Connections that one address may have at a time, where rates are limited; HAProxy only.
    max_connections: Connections = 2000
    no_color: str | None = None


def environment() -> dict[str, str]:
    """Return a copy of this process' environment: the only place that reads it."""
    return dict(os.environ)


def parse(environ: Mapping[str, str]) -> Settings:
    """Return the settings in `environ`; a variable set to nothing counts as not set.

    Raises:
        ConfigError: A value is not what its setting takes. The text is one sentence.
    """
    try:
        return load(Settings, environ)
    except ConfigError as error:
        name = re.split("[= ]", str(error))[0]
        raise ConfigError(f"{error}; it must be {_described(name)}") from None


def _described(name: str) -> str:
    hint = typing.get_type_hints(Settings, include_extras=True)[name.lower()]
    # The type of `Port | None` keeps its description one level down.
    kinds = (hint, *typing.get_args(hint))
    metas = [meta for kind in kinds for meta in getattr(kind, "__metadata__", ())]
    return str(metas[0].description)
