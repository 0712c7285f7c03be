"""The load balancer's configuration file, command line, and stop signal."""

import signal
from collections.abc import Mapping
from pathlib import Path
from string import Template

from deploy.data_dir import DataDir, write_atomically
from deploy.ports import Address, PortPlan
from deploy.processes.process import ProcessSpec
from deploy.servers.certificate import (
    CADDY_SOCKET,
    CERTIFICATE,
    remove_certificate,
    write_certificate,
)
from deploy.servers.discovery import Server
from deploy.servers.haproxy_limits import haproxy_limits
from deploy.settings import Settings
from shared.config import Settings as GatewaySettings
from shared.tls import CIPHER_SUITES, CIPHERS

TEMPLATES = Path(__file__).parent

# On this signal HAProxy stops listening and lets its connections go on. Caddy has no such signal,
# and is stopped after the gateways.
SOFT_STOP = {"haproxy": signal.SIGUSR1}


def balancer_process(
    server: Server,
    settings: Settings,
    plan: PortPlan,
    data_dir: DataDir,
    environ: Mapping[str, str],
    max_files: int,
    rates: GatewaySettings,
) -> ProcessSpec:
    """Write the configuration of the load balancer, and return its process specification.

    `max_files` is its limit of open files. HAProxy limits addresses by the `rates` of gateways.
    """
    numbers = range(1, settings.gateways + 1)
    gateways = {f"gateway-{n}": plan.gateway(n).reachable for n in numbers}
    admins = {f"gateway-{n}": plan.gateway_admin(n).reachable for n in numbers}
    if server.kind == "haproxy":
        config = "haproxy.cfg"
        options: tuple[str, ...] = ("-db", "-f")
        values = _haproxy_values(plan, gateways, admins) | {
            "max_files": str(max_files),
            "ciphers": ":".join(CIPHERS),
            "cipher_suites": ":".join(CIPHER_SUITES),
            **haproxy_limits(settings, rates, _listed("{}", settings)),
            "unless_trusted": _listed(" unless {{ src {} }}", settings),
        }
    else:
        config = "Caddyfile"
        options = ("run", "--adapter", "caddyfile", "--config")
        trusted = _listed("trusted_proxies static {}", settings)
        tls = bool(settings.tls_cert)
        values = _caddy_values(plan, gateways, admins, tls=tls) | {"trusted": trusted}
    values["scheme"] = "https" if settings.tls_cert else "http"
    values["tls"] = _tls(settings, data_dir, server.kind)
    template = Template((TEMPLATES / f"{config}.tmpl").read_text())
    write_atomically(data_dir.run / config, template.substitute(values))
    # Caddy writes files to these folders; without them, to the user's home.
    folders = {"XDG_DATA_HOME": str(data_dir.path), "XDG_CONFIG_HOME": str(data_dir.path)}
    return ProcessSpec(
        name=server.kind,
        command=(server.path, *options, config),
        env={**environ, **folders},
        cwd=data_dir.run,
    )


def _tls(settings: Settings, data_dir: DataDir, kind: str) -> str:
    """Write certificate and key into one file; return the directive that names it."""
    if not settings.tls_cert:
        remove_certificate(data_dir.run)
        return ""
    write_certificate(settings, data_dir.run)
    if kind == "haproxy":
        return f" ssl crt {CERTIFICATE} alpn http/1.1"
    ciphers = " ".join(map(_caddy_cipher, CIPHERS))
    # Those of TLS 1.3 cannot be chosen, and are the same.
    return f"\ttls {CERTIFICATE} {CERTIFICATE} {{\n\t\tciphers {ciphers}\n\t}}\n"


def _caddy_cipher(name: str) -> str:
    """Return Caddy's name of a cipher suite of TLS 1.2: the registered one (RFC 5289, RFC 7905)."""
    key_exchange, signature, rest = name.split("-", 2)
    cipher = rest.replace("AES128-GCM", "AES_128_GCM").replace("AES256-GCM", "AES_256_GCM")
    cipher = cipher.replace("-", "_")
    digest = "_SHA256" if cipher.endswith("POLY1305") else ""
    return f"TLS_{key_exchange}_{signature}_WITH_{cipher}{digest}"


def _listed(directive: str, settings: Settings) -> str:
    """Return a directive with the trusted proxies; empty if there are none."""
    addresses = " ".join(str(settings.trusted_proxies).replace(",", " ").split())
    return directive.format(addresses) if addresses else ""


def _haproxy_values(
    plan: PortPlan, gateways: Mapping[str, Address], admins: Mapping[str, Address]
) -> dict[str, str]:
    return {
        "listen": str(plan.balancer),
        "admin_listen": str(plan.admin),
        "gateways": "\n".join(f"    server {n} {a} check" for n, a in gateways.items()),
        "admin_gateways": "\n".join(f"    server {n} {a} check" for n, a in admins.items()),
    }


def _caddy_values(
    plan: PortPlan, gateways: Mapping[str, Address], admins: Mapping[str, Address], *, tls: bool
) -> dict[str, str]:
    # A certificate that is renewed is read with the whole configuration. WebSockets outlive that.
    streams = "\t\t\tstream_close_delay 24h\n" if tls else ""
    return {
        "control": f"unix/{CADDY_SOCKET}|0600" if tls else "off",
        "streams": streams,
        # Without the host, as a site with a host refuses requests by other names of this machine.
        "listen": f":{plan.balancer.port}",
        "admin_listen": f":{plan.admin.port}",
        "host": plan.balancer.host,
        "admin_host": plan.admin.host,
        "sessions": "\n".join(_caddy_session(name, gateways, streams) for name in gateways),
        "gateways": " ".join(map(str, gateways.values())),
        "admin_gateways": " ".join(map(str, admins.values())),
    }


def _caddy_session(name: str, gateways: Mapping[str, Address], streams: str) -> str:
    """Return the directives that route a polling session to its gateway.

    The session's sid begins with the gateway's name. If that gateway has ended, another one gets
    the request, and answers that it does not know the session.
    """
    others = (str(address) for other, address in gateways.items() if other != name)
    return (
        f'\t@{name} expression `{{query.sid}}.startsWith("{name}.")`\n'
        f"\thandle @{name} {{\n\t\treverse_proxy {' '.join((str(gateways[name]), *others))} {{\n"
        "\t\t\tlb_policy first\n\t\t\tlb_try_duration 1s\n\t\t\tlb_try_interval 100ms\n"
        f"\t\t\tfail_duration 500ms\n\t\t\tflush_interval -1\n{streams}\t\t}}\n\t}}\n"
    )
