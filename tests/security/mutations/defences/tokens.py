"""How long a token holds, and whose keys sign it."""

from typing import Final

from tests.security.mutations.mutation import Mutation, without

REVOCATIONS: Final = "gateway/access/revocations.py"
WATCH: Final = "gateway/cluster/revocations.py"
KEY_SET: Final = "gateway/access/key_set.py"

TESTS: Final = "tests/security/test_revocation.py"
KEY_TESTS: Final = "tests/security/test_tokens.py"
SETTINGS: Final = "tests/unit/gateway/access/test_identity.py::test_what_does_not_go_together"

TOKENS: Final[tuple[Mutation, ...]] = (
    without(
        "connections end with their token",
        "gateway/connections/deadlines.py",
        "                close_unidentified("
        'connection, CloseCode.UNAUTHORIZED, "the token has expired")\n',
        "                pass\n",
        f"{TESTS}::test_the_end_of_a_connection_with_its_token",
    ),
    without(
        "revoked tokens are refused",
        REVOCATIONS,
        "        if self.revokes(bearer):\n",
        '        if bearer.user == "":\n',
        f"{TESTS}::test_a_token_by_its_id[json]",
        f"{TESTS}::test_a_ticket_of_a_revoked_token",
    ),
    without(
        "revoked tokens are refused",
        REVOCATIONS,
        "issued * 1000 < of_user.before",
        "issued < 0",
        f"{TESTS}::test_all_tokens_of_a_user",
    ),
    without(
        "revocations end connections",
        WATCH,
        "            self.recheck(client)\n        self._disconnect(disconnected)\n",
        "            pass\n        self._disconnect(disconnected)\n",
        f"{TESTS}::test_a_token_by_its_id[json]",
        f"{TESTS}::test_all_tokens_of_a_user",
    ),
    without(
        "revocations end connections",
        WATCH,
        "self._sessions.drop(client, forget=True, left=False)",
        "self._sessions.drop(client, forget=False, left=False)",
        f"{TESTS}::test_no_recovery_after_a_revocation",
    ),
    without(
        "an operator disconnects users",
        WATCH,
        "            if client.display_name in users:\n",
        '            if client.display_name == "":\n',
        f"{TESTS}::test_a_disconnected_user[json]",
        "tests/integration/test_acting.py::test_the_operator_disconnects_a_user",
    ),
    without(
        "keys come by TLS, or from this machine",
        KEY_SET,
        'or (scheme == "http" and not is_loopback(host)):',
        'or (scheme == "http" and not host):',
        f"{KEY_TESTS}::test_settings_that_guard_nothing[a key set in the clear]",
    ),
    without(
        "keys come by TLS, or from this machine",
        KEY_SET,
        "        for _ in range(MAX_REDIRECTS + 1):\n",
        "        if tls:\n            tls.check_hostname = False\n"
        "        for _ in range(MAX_REDIRECTS + 1):\n",
        f"{KEY_TESTS}::test_certificates_of_an_address",
    ),
    without(
        "keys of many applications need an audience",
        "gateway/access/identity.py",
        "        if settings.jwt_jwks_url and not _is_for_us(settings):\n",
        '        if settings.jwt_jwks_url == "none":\n',
        f"{SETTINGS}[tokens for anybody]",
    ),
    without(
        "revoked tokens are refused",
        REVOCATIONS,
        "        if not self.complete:\n",
        "        if self.complete is None:\n",
        "tests/integration/test_revocations.py::test_a_gateway_that_starts_without_sql",
    ),
    without(
        "keys come from their own origin",
        KEY_SET,
        "        if Origin.of(url) == origin:\n",
        "        if Origin.of(url):\n",
        f"{KEY_TESTS}::test_redirects_elsewhere",
    ),
    without(
        "bounded sets of keys",
        KEY_SET,
        "            if len(body) > MAX_BYTES:\n",
        "            if len(body) < 0:\n",
        f"{KEY_TESTS}::test_answers_that_are_no_key_set",
    ),
    without(
        "bounded sets of keys",
        KEY_SET,
        "    async with asyncio.timeout(TIMEOUT_SECONDS):\n",
        "    async with asyncio.timeout(None):\n",
        f"{KEY_TESTS}::test_slow_answers",
    ),
    without(
        "old keys do not count",
        "gateway/access/keys.py",
        "        return time.monotonic() - self._fetched_at > self._max_age\n",
        "        return False\n",
        f"{KEY_TESTS}::test_a_key_that_is_gone_while_the_address_is_away",
    ),
    without(
        "a longest life of tokens",
        "gateway/access/tokens.py",
        "            if claims.exp - (claims.iat or 0.0) > self._longest:\n",
        "            if claims.exp < 0:\n",
        f"{KEY_TESTS}::test_how_long_a_token_lasts",
    ),
    without(
        "settings that guard nothing are refused",
        "shared/addresses.py",
        "        if found.covers_everything:\n",
        "        if found is None:\n",
        f"{KEY_TESTS}::test_settings_that_guard_nothing",
    ),
    without(
        "settings that guard nothing are refused",
        "shared/config/secrets.py",
        "            if len(key.encode()) < MIN_KEY_BYTES:\n",
        "            if not key:\n",
        f"{KEY_TESTS}::test_settings_that_guard_nothing",
    ),
)
