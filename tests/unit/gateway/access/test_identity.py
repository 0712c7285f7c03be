"""Which settings of identity go together."""

import pytest

from gateway.access.identity import bearer_token, check_identity
from shared.config import ConfigError, Settings, load
from tests.support.tokens import JWT, KEY

KEY_SET = {"AUTH_MODE": "jwt", "JWT_JWKS_URL": "https://id.example/keys"}
FOR_US = {"AUTH_MODE": "jwt", "JWT_AUDIENCE": "chat"}
"""With it, nothing is wrong but the address of the keys."""

BAD = {
    "beyond loopback": {"HOST": "192.0.2.1"},
    "a name that may be anywhere": {"HOST": "chat.example"},
    "a key, and nobody to show it": {"JWT_KEY": KEY},
    "an audience, and nobody to name it": {"JWT_AUDIENCE": "chat"},
    "guests among whoever they are": {"GUESTS": "on"},
    "no key": {"AUTH_MODE": "jwt"},
    "two keys": {**JWT, "JWT_JWKS_URL": "https://id.example/keys"},
    "a short key": {"AUTH_MODE": "jwt", "JWT_KEY": "k" * 31},
    "no PEM": {"AUTH_MODE": "jwt", "JWT_PUBLIC_KEY": "-----BEGIN PUBLIC KEY-----"},
    "no file": {"AUTH_MODE": "jwt", "JWT_PUBLIC_KEY": "/nowhere/key.pem"},
    "a file for an address": {**FOR_US, "JWT_JWKS_URL": "file:///etc/passwd"},
    "a plain address of another machine": {**FOR_US, "JWT_JWKS_URL": "http://id.example"},
    "an address of FTP": {**FOR_US, "JWT_JWKS_URL": "ftp://127.0.0.1/keys"},
    "an address of data": {**FOR_US, "JWT_JWKS_URL": "data:application/json,{}"},
    "a password in an address": {**FOR_US, "JWT_JWKS_URL": "https://a:b@id.example/"},
    "a blank in an address": {**FOR_US, "JWT_JWKS_URL": "https://id.example/a b"},
    "tokens for anybody": KEY_SET,
    "a life, and no tokens": {"JWT_MAX_HOURS": "24"},
    "a claim, and no tokens": {"JWT_USER_CLAIM": "email"},
    "no host": {**FOR_US, "JWT_JWKS_URL": "https://"},
}
GOOD = {
    "nothing": {},
    "any loopback": {"HOST": "127.0.0.2"},
    "loopback by name": {"HOST": "localhost"},
    "loopback of IPv6": {"HOST": "::1"},
    "open on purpose": {"HOST": "0.0.0.0", "ALLOW_OPEN": "yes"},  # noqa: S104
    "tokens, for everybody": {**JWT, "HOST": "0.0.0.0", "GUESTS": "on"},  # noqa: S104
    "an address of keys": {**KEY_SET, "JWT_AUDIENCE": "chat"},
    "an address of keys, by issuer": {**KEY_SET, "JWT_ISSUER": "us"},
    "tokens for anybody on purpose": {**KEY_SET, "ALLOW_ANY_AUDIENCE": "yes"},
    "an address on this machine": {
        "AUTH_MODE": "jwt",
        "JWT_JWKS_URL": "http://localhost:8081/keys",
        "JWT_ISSUER": "us",
    },
}


@pytest.mark.parametrize("env", BAD.values(), ids=BAD.keys())
def test_what_does_not_go_together(env: dict[str, str]) -> None:
    """Settings that do not go together are refused by a sentence that names one, and no key."""
    with pytest.raises(ConfigError) as refused:
        check_identity(load(Settings, env))
    sentence = str(refused.value)
    assert any(name in sentence for name in env)
    assert "\n" not in sentence
    assert not any(len(value) > 30 and value in sentence for value in env.values())


@pytest.mark.parametrize("env", GOOD.values(), ids=GOOD.keys())
def test_what_goes_together(env: dict[str, str]) -> None:
    """Settings that go together are taken."""
    check_identity(load(Settings, env))


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("Bearer x.y.z", "x.y.z"),
        ("bearer  x.y.z ", "x.y.z"),
        ("Bearer", None),
        ("Bearer ", None),
        ("Basic YW5uOmE=", None),
        ("x.y.z", None),
        ("", None),
        (None, None),
    ],
)
def test_authorization(header: str | None, found: str | None) -> None:
    """A token is what follows `Bearer` in `Authorization`; there is none in any other scheme."""
    assert bearer_token(header) == found
