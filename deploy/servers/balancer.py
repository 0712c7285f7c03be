"""The load balancer's configuration file, command line, and stop signal."""

import signal
from collections.abc import Mapping
from pathlib import Path
from string import Template

from deploy.data_dir import DataDir, write_atomically
from deploy.ports import Address, PortPlan
from deploy.processes.process import ProcessSpec
from deploy.servers.discovery import Server
from deploy.settings import Settings

TEMPLATES = Path(__file__).parent

CERTIFICATE = "tls.pem"

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
    *,
    limited: bool,
) -> ProcessSpec:
    """Write the configuration of the load balancer, and return its process specification.

    `max_files` is its limit of open files. With `limited`, one client address may have only
    MAX_CONNECTIONS connections.
    """
    numbers = range(1, settings.gateways + 1)
    gateways = {f"gateway-{n}": plan.gateway(n).reachable for n in numbers}
    admins = {f"gateway-{n}": plan.gateway_admin(n).reachable for n in numbers}
    if server.kind == "haproxy":
        config = "haproxy.cfg"
        options: tuple[str, ...] = ("-db", "-f")
        values = _haproxy_values(plan, gateways, admins) | {
            "max_files": str(max_files),
            "sources": _haproxy_sources(settings.max_connections) if limited else "",
            "unless_trusted": _listed(" unless {{ src {} }}", settings),
        }
    else:
        config = "Caddyfile"
        options = ("run", "--adapter", "caddyfile", "--config")
        trusted = _listed("trusted_proxies static {}", settings)
        values = _caddy_values(plan, gateways, admins) | {"trusted": trusted}
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
    certificate = data_dir.run / CERTIFICATE
    if not settings.tls_cert:
        certificate.unlink(missing_ok=True)
        return ""
    parts = filter(None, (settings.tls_cert, settings.tls_key))
    write_atomically(certificate, "\n".join(Path(part).read_text() for part in parts))
    if kind == "haproxy":
        return f" ssl crt {CERTIFICATE} alpn http/1.1"
    return f"\ttls {CERTIFICATE} {CERTIFICATE}\n"


def _listed(directive: str, settings: Settings) -> str:
    """Return a directive with the trusted proxies; empty if there are none."""
    addresses = " ".join(str(settings.trusted_proxies).replace(",", " ").split())
    return directive.format(addresses) if addresses else ""


def _haproxy_sources(max_connections: int) -> str:
    return (
        "    stick-table type ipv6 size 100k expire 1m store conn_cur\n"
        "    tcp-request connection track-sc0 src\n"
        f"    tcp-request connection reject if {{ sc0_conn_cur gt {max_connections} }}"
    )


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
    plan: PortPlan, gateways: Mapping[str, Address], admins: Mapping[str, Address]
) -> dict[str, str]:
    return {
        # Without the host, as a site with a host refuses requests by other names of this machine.
        "listen": f":{plan.balancer.port}",
        "admin_listen": f":{plan.admin.port}",
        "host": plan.balancer.host,
        "admin_host": plan.admin.host,
        "sessions": "\n".join(_caddy_session(name, gateways) for name in gateways),
        "gateways": " ".join(map(str, gateways.values())),
        "admin_gateways": " ".join(map(str, admins.values())),
    }


def _caddy_session(name: str, gateways: Mapping[str, Address]) -> str:
    """Return the directives that route a polling session to its gateway.

    The session's sid begins with the gateway's name. If that gateway has ended, another one gets
    the request, and answers that it does not know the session.
    """
    others = (str(address) for other, address in gateways.items() if other != name)
    return (
        f'\t@{name} expression `{{query.sid}}.startsWith("{name}.")`\n'
        f"\thandle @{name} {{\n\t\treverse_proxy {' '.join((str(gateways[name]), *others))} {{\n"
        "\t\t\tlb_policy first\n\t\t\tlb_try_duration 1s\n\t\t\tlb_try_interval 100ms\n"
        "\t\t\tfail_duration 500ms\n\t\t\tflush_interval -1\n\t\t}\n\t}\n"
    )
