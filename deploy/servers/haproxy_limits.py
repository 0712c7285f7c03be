"""The limits of HAProxy for each client address: connections, and requests in a time.

They stop a flood before it reaches a gateway, and are never stricter than the gateways' own rates:
what the gateways would grant an address altogether passes. An address is counted as gateways count
it: as its /64 if it is IPv6, and behind trusted proxies as the address that these give.
"""

from string import Template
from typing import Final

from deploy.settings import Settings
from shared.config import Settings as GatewaySettings
from shared.rates import Rate

WINDOW_SECONDS: Final = 10
"""Seconds over which requests are counted."""

MAX_PROXIES: Final = 8
"""Trusted proxies in a row that are looked through; above it the last of them is counted."""

# A counter is raised only by what passes, so that an address above its rate still gets that much.
CONNECTIONS: Final = Template("""\
    # Limits of an address; see docs/operate/limits.md.
    stick-table type ipv6 size 100k expire 1m store conn_cur,gpc(1),gpc_rate(1,${window}s)
    tcp-request connection track-sc0 src,ipmask(32,64)$unless_trusted_source
    tcp-request connection reject if { sc0_conn_cur gt $connections }
    tcp-request connection reject if { sc_gpc_rate(0,0) ge $connects }
    tcp-request connection sc-inc-gpc(0,0)
    http-request set-var(txn.client) src
""")

PROXY: Final = Template("""\
    http-request set-var(txn.client) req.hdr_ip(X-Forwarded-For,-$number) if { var(txn.client) \
-m ip $trusted } { req.hdr_ip(X-Forwarded-For,-$number) -m found }
""")

REQUESTS: Final = Template("""\
    http-request track-sc1 var(txn.client),ipmask(32,64) table addresses$unless_trusted_client
    acl continues path_beg /socket.io
    acl continues_named url_param(sid) -m found
    http-request set-var(txn.session) bool(true) if continues continues_named
    acl in_session var(txn.session) -m bool
    http-request tarpit deny_status 429 hdr Retry-After 1 if { sc1_conn_cur gt $connections }
    http-request tarpit deny_status 429 hdr Retry-After 1 if !in_session { sc_gpc_rate(0,1) ge \
$requests }
    http-request tarpit deny_status 429 hdr Retry-After 1 if in_session { sc_gpc_rate(1,1) ge \
$sessions }
    http-request sc-inc-gpc(0,1) unless in_session
    # A session that no gateway knows counts as a connection that is opened.
    http-response sc-inc-gpc(1,1) if in_session { status 400 429 }""")

TABLES: Final = f"""\
backend addresses
    stick-table type ipv6 size 100k expire 1m store conn_cur,gpc(2),gpc_rate(2,{WINDOW_SECONDS}s)
"""


def haproxy_limits(settings: Settings, rates: GatewaySettings, trusted: str) -> dict[str, str]:
    """Return the values of HAProxy's template that limit addresses.

    Args:
        settings: of the cluster.
        rates: the settings of its gateways.
        trusted: the trusted proxies, separated by spaces.
    """
    if not rates.limited:
        return {"limits": "", "tables": ""}
    # Gateways count pages each by itself, and the others together.
    requests = settings.gateways * _granted(rates.rate_pages)
    requests += _granted(rates.rate_rest) + _granted(rates.rate_connections)
    values = {
        "window": str(WINDOW_SECONDS),
        "connections": str(settings.max_connections),
        "connects": str(settings.max_connections + requests),
        "requests": str(requests),
        "sessions": str(_granted(rates.rate_connections)),
        "trusted": trusted,
        "unless_trusted_source": f" unless {{ src {trusted} }}" if trusted else "",
        "unless_trusted_client": (
            f" unless {{ var(txn.client) -m ip {trusted} }}" if trusted else ""
        ),
    }
    hops = range(1, MAX_PROXIES + 1) if trusted else ()
    lines = [
        CONNECTIONS.substitute(values),
        *(PROXY.substitute(values, number=number) for number in hops),
        REQUESTS.substitute(values),
    ]
    return {"limits": "".join(lines), "tables": TABLES}


def _granted(rate: Rate) -> int:
    """Return the most that a rate grants within the time of a window."""
    return rate.burst + WINDOW_SECONDS * 1_000_000 // rate.interval + 1
