"""Who somebody is: tokens, tickets, names, and pages of other origins."""

from typing import Final

from tests.security.mutations.mutation import Mutation, without

KEYS: Final = "gateway/access/keys.py"
IDENTITY_MODULE: Final = "gateway/access/identity.py"
TOKENS: Final = "gateway/access/tokens.py"
ORIGINS: Final = "shared/web/origins.py"
GUARD: Final = "gateway/endpoints/guard.py"

HOST_TESTS: Final = "tests/security/test_hosts.py"
FORGED_OVER_REST: Final = "tests/security/test_identity.py::test_forged_tokens_over_rest[1]"
FOREIGN_PAGES: Final = "tests/security/test_identity.py::test_pages_of_others[1]"
CLAIMS: Final = "tests/unit/gateway/access/test_tokens.py::test_claims"

IDENTITY: Final[tuple[Mutation, ...]] = (
    without(
        "signatures of tokens",
        TOKENS,
        "            options={\n",
        '            options={\n                "verify_signature": False,\n',
        FORGED_OVER_REST,
    ),
    without(
        "one algorithm for each key",
        TOKENS,
        "algorithms=[algorithm],",
        'algorithms=[algorithm, "HS384", "HS512", "RS512"],',
        "tests/unit/gateway/access/test_tokens.py::test_only_the_keys_own_algorithm[RS256]",
    ),
    without(
        "strong keys only",
        KEYS,
        "case RSAPublicKey() if key.key_size >= MIN_RSA_KEY_BITS:",
        "case RSAPublicKey():",
        "tests/unit/gateway/access/test_tokens.py::test_weak_and_other_keys",
    ),
    without(
        "strong keys only",
        KEYS,
        "    if len(key) < MIN_SHARED_KEY_BYTES:\n",
        "    if not key:\n",
        "tests/unit/gateway/access/test_identity.py::test_what_does_not_go_together[a short key]",
    ),
    without(
        "tokens that expire",
        TOKENS,
        '"verify_sub": False,',
        '"verify_sub": False, "verify_exp": False,',
        FORGED_OVER_REST,
        f"{CLAIMS}[claims0-the token has expired]",
    ),
    without(
        "tokens for this server",
        TOKENS,
        '"verify_aud": self._audience is not None,',
        '"verify_aud": False,',
        FORGED_OVER_REST,
        f"{CLAIMS}[claims3-the token is not for this server]",
    ),
    without(
        "tokens for this server",
        TOKENS,
        "issuer=self._issuer,",
        "issuer=None,",
        f"{CLAIMS}[claims5-the token is not from the issuer that this server trusts]",
    ),
    without(
        "no token in a URL",
        IDENTITY_MODULE,
        '    if "token" in query:\n',
        '    if "no token" in query:\n',
        "tests/security/test_identity.py::test_token_in_a_query[json-1]",
    ),
    without(
        "tickets that work once",
        "shared/broker/sessions/tickets.py",
        "self._client.getdel(key)",
        "self._client.get(key)",
        "tests/cluster/test_identity.py::test_ticket",
    ),
    without(
        "tickets are kept as hashes",
        "shared/broker/sessions/tickets.py",
        "        return keys.ticket(digest), ",
        "        return keys.ticket(ticket), ",
        "tests/security/test_canary.py::test_nothing_in_redis",
    ),
    without(
        "one name for each connection",
        "gateway/rooms/client.py",
        "        if username != self.display_name:\n",
        '        if username == "nobody":\n',
        "tests/security/test_identity.py::test_speaking_as_another[1-json]",
    ),
    without(
        "nothing without a token",
        "gateway/api/login.py",
        "    if not gateway.access.identity.guests_allowed:\n        raise ",
        "    if gateway.access.identity.guests_allowed is None:\n        raise ",
        "tests/security/test_permission.py::test_presence_of_others",
        "tests/security/test_identity.py::test_pages_of_its_own[1]",
    ),
    without(
        "origins that may ask",
        GUARD,
        "        if not self._origins.allow(origin, host):\n            _note_origin",
        "        if not origin:\n            _note_origin",
        FOREIGN_PAGES,
    ),
    without(
        "origins are compared as a whole",
        ORIGINS,
        'return host if origin == f"{parts.scheme}://{host}" else None',
        "return host",
        FOREIGN_PAGES,
    ),
    without(
        "origins are compared as a whole",
        ORIGINS,
        'return _Wildcard(scheme, f".{name}", parts.port)',
        "return _Wildcard(scheme, name, parts.port)",
        "tests/security/test_identity.py::test_pages_that_are_allowed",
    ),
    without(
        "nobody is open to the network by mistake",
        "shared/config/exposure.py",
        'settings.allow_open == "yes" or is_loopback(host)',
        'settings.allow_open != "never" or is_loopback(host)',
        "tests/unit/gateway/access/test_identity.py::"
        "test_what_does_not_go_together[beyond loopback]",
        "tests/security/test_doors.py::test_strangers_are_not_believed",
    ),
    without(
        "guests' names are the server's",
        IDENTITY_MODULE,
        "        if is_guest(bearer.user):\n",
        '        if bearer.user == "":\n',
        "tests/cluster/test_identity.py::test_bad_token",
    ),
    without(
        "servers answer for their own hosts",
        "gateway/endpoints/hosts.py",
        "            elif not self._hosts.allow(name):\n",
        "            elif not name:\n",
        f"{HOST_TESTS}::test_rebinding_to_a_cluster",
        f"{HOST_TESTS}::test_with_a_public_url",
    ),
    without(
        "servers answer for their own hosts",
        "persister/operator_port.py",
        "        elif self._refuses_host():\n",
        "        elif self._refuses_host is None:\n",
        f"{HOST_TESTS}::test_rebinding_to_a_cluster",
    ),
    without(
        "one host for each request",
        "shared/web/hosts.py",
        "    if len(values) != 1 or len(values[0]) > MAX_HOST_CHARACTERS:\n",
        "    if not values or len(values[0]) > MAX_HOST_CHARACTERS:\n",
        f"{HOST_TESTS}::test_hosts_that_are_none",
    ),
    without(
        "sessions are their user's",
        "shared/broker/scripts/take_session.lua",
        "if not mine then return false end\n",
        "",
        "tests/security/test_sessions.py::test_the_pid_of_another[1-another user]",
        "tests/integration/broker/test_sessions.py::test_a_session_of_another_user",
    ),
    without(
        "nobody is somebody unnamed",
        "gateway/access/user_names.py",
        "    if is_nameless(name):\n        raise",
        "    if not name:\n        raise",
        "tests/security/test_sessions.py::test_the_name_of_somebody_unnamed[json-as it is]",
    ),
)
