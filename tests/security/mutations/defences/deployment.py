"""What stands around the gateways: TLS, files, the load balancer and packages."""

from typing import Final

from tests.faults.sources import Change
from tests.security.mutations.mutation import Mutation, without

ACTING: Final = "shared/operator/acting.py"
BALANCER_PROGRAM: Final = "deploy/servers/balancer_program.py"
HAPROXY_LIMITS: Final = "deploy/servers/haproxy_limits.py"
BALANCER_TESTS: Final = "tests/unit/deploy/servers/test_balancer_program.py"
BALANCER_LIMITS: Final = "tests/integration/deploy/test_balancer_limits.py"

DEPLOYMENT: Final[tuple[Mutation, ...]] = (
    without(
        "private files",
        "deploy/data_dir.py",
        "os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)",
        "os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)",
        "tests/unit/deploy/test_data_dir.py::test_the_folder_is_private",
    ),
    Mutation(
        "connections of an address at HAProxy",
        (
            Change(
                HAPROXY_LIMITS,
                "    tcp-request connection reject if { sc0_conn_cur gt $connections }\n",
                "",
            ),
            Change(
                HAPROXY_LIMITS,
                "    http-request tarpit deny_status 429 hdr Retry-After 1 if "
                "{ sc1_conn_cur gt $connections }\n",
                "",
            ),
        ),
        (f"{BALANCER_LIMITS}::test_addresses_that_hold_connections",),
    ),
    without(
        "requests of an address at HAProxy",
        HAPROXY_LIMITS,
        "    http-request tarpit deny_status 429 hdr Retry-After 1 if !in_session "
        "{ sc_gpc_rate(0,1) ge \\\n$requests }\n",
        "",
        f"{BALANCER_LIMITS}::test_an_address_that_asks_too_often",
    ),
    without(
        "an audit that could not look is no pass",
        "deploy/audit.py",
        "    return (NOT_LOOKED_UP if missing or not found else 0), said or [\n",
        "    return 0, said or [\n",
        "tests/unit/deploy/test_audit.py::test_an_audit_passes_only_if_it_looked",
    ),
    without(
        "acting needs the operator's secret",
        ACTING,
        '    if scheme.lower() != "bearer" or not same:\n',
        '    if scheme.lower() != "bearer":\n',
        "tests/unit/shared/operator/test_acting.py::test_without_the_secret",
        "tests/integration/test_acting.py::test_others_drain_nothing",
    ),
    without(
        "acting needs the operator's secret",
        ACTING,
        "    if not secret:\n",
        "    if secret is None:\n",
        "tests/unit/shared/operator/test_acting.py::test_no_secret_is_set",
        "tests/integration/test_acting.py::test_without_a_secret_nobody_acts",
    ),
    without(
        "no page of another origin acts",
        ACTING,
        '        raise ChatError("forbidden", "pages of other origins may not act here")\n',
        "        pass\n",
        "tests/unit/shared/operator/test_acting.py::test_a_page_of_another_origin",
        "tests/integration/test_acting.py::test_others_drain_nothing",
    ),
    without(
        "a load balancer that is maintained comes first",
        BALANCER_PROGRAM,
        "            server = (maintained or found.usable[::-1])[0]\n",
        "            server = found.usable[-1]\n",
        f"{BALANCER_TESTS}::test_a_maintained_one_on_path_comes_first",
    ),
    without(
        "a load balancer that is not maintained is told",
        BALANCER_PROGRAM,
        "    if not server.ended:\n        return None\n",
        "    if server.path:\n        return None\n",
        f"{BALANCER_TESTS}::test_what_is_not_maintained_is_told",
    ),
    without(
        "ciphers by name",
        "deploy/servers/haproxy.cfg.tmpl",
        "    ssl-default-bind-ciphers $ciphers\n",
        "",
        "tests/security/test_tls.py::test_a_cluster_behind_tls[haproxy]",
    ),
    without(
        "ciphers by name",
        "gateway/endpoints/serving.py",
        '    config.ssl_ciphers = ":".join(CIPHERS)\n',
        '    config.ssl_ciphers = "ALL"\n',
        "tests/security/test_tls.py::test_a_gateway_and_redis_over_tls",
    ),
    without(
        "browsers are told to stay with TLS",
        "gateway/endpoints/hosts.py",
        '            elif name in self._secure and scope["scheme"] in {"https", "wss"}:\n',
        '            elif name in self._secure and scope["scheme"] == "":\n',
        "tests/security/test_tls.py::test_a_cluster_behind_tls[haproxy]",
        "tests/security/test_tls.py::test_a_gateway_and_redis_over_tls",
        fails_by=("KeyError",),
    ),
    without(
        "made-up sessions of an address at HAProxy",
        HAPROXY_LIMITS,
        "    http-request tarpit deny_status 429 hdr Retry-After 1 if in_session "
        "{ sc_gpc_rate(1,1) ge \\\n$sessions }\n",
        "",
        f"{BALANCER_LIMITS}::test_sessions_that_there_are_not",
    ),
    without(
        "certificates are renewed while they are in use",
        "gateway/endpoints/serving.py",
        "        if self._certificate is None:\n",
        "        if self._certificate is not self:\n",
        "tests/security/test_renewed_certificate.py::test_a_gateway_takes_a_new_certificate",
    ),
    without(
        "the audit looks into wheels",
        "deploy/audit.py",
        "    code = VULNERABLE if failing else NOT_LOOKED_UP if unreachable else 0\n",
        "    code = 0\n",
        "tests/unit/deploy/test_audit.py::test_what_is_inside_wheels_is_judged",
    ),
    without(
        "findings are accepted until a day",
        "deploy/supply/accepted.py",
        "        elif entry.until < today:\n",
        "        elif entry.until is None:\n",
        "tests/unit/deploy/supply/test_accepted.py::test_a_finding_is_accepted_until_its_day",
    ),
)
