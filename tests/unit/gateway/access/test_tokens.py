"""Tokens and the keys that they are checked with."""

import json
import time
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.keys import keys_of
from gateway.access.tokens import Bearer, Tokens
from shared.config import ConfigError, Settings, load
from shared.errors import ChatError
from tests.support.tokens import JWT, KEY, token

PRIVATE: dict[str, Any] = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
REFUSED: dict[str, Any] = {
    "RSA of few bits": rsa.generate_private_key(65537, 1024),  # noqa: S505 - to see it refused
    "another curve": ec.generate_private_key(ec.SECP384R1()),
}


def pem(private: Any) -> str:  # noqa: ANN401 - any kind of key
    public = private.public_key()
    return str(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def tokens(**env: str) -> Tokens:
    """What verifies tokens, with these settings."""
    settings = load(Settings, {"AUTH_MODE": "jwt", **env})
    return Tokens(settings, keys_of(settings))


async def refused(verifier: Tokens, shown: str) -> str:
    """Show a token that must be refused: what is said about it."""
    with pytest.raises(ChatError) as refusal:
        await verifier.verify(shown)
    assert refusal.value.code == "unauthorized"
    assert refusal.value.message.startswith("the token ")
    return refusal.value.message


@pytest.mark.parametrize("algorithm", PRIVATE)
async def test_public_keys(algorithm: str, tmp_path: Path) -> None:
    """A token by the private key of the PEM is taken, as text, in one line, or from a file."""
    private = PRIVATE[algorithm]
    file = tmp_path / "key.pem"
    file.write_text(pem(private))
    shown = token("ann", key=private, algorithm=algorithm)
    for given_as in (pem(private), pem(private).replace("\n", "\\n"), str(file)):
        assert (await tokens(JWT_PUBLIC_KEY=given_as).verify(shown)).user == "ann"


@pytest.mark.parametrize("algorithm", PRIVATE)
async def test_only_the_keys_own_algorithm(algorithm: str) -> None:
    """A token by any other algorithm than the key's is refused, the public key as secret too."""
    public = pem(PRIVATE[algorithm])
    verifier = tokens(JWT_PUBLIC_KEY=public)
    for other, private in PRIVATE.items():
        if other != algorithm:
            await refused(verifier, token("ann", key=private, algorithm=other))
    for confused in ("HS256", "HS384", "HS512"):
        await refused(verifier, by_hand({"alg": confused}, public))
    await refused(verifier, by_hand({"alg": "none"}, ""))
    await refused(verifier, token("ann", key=PRIVATE["RS256"], algorithm="RS512"))
    await refused(tokens(**JWT), token("ann", algorithm="HS512"))


def by_hand(header: dict[str, object], secret: str) -> str:
    """A token that the library would not sign, for its key is no secret."""
    claims = {"sub": "ann", "exp": int(time.time()) + 60}
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signed = b".".join(parts)
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = urlsafe_b64encode(algorithm.sign(signed, secret.encode())).rstrip(b"=")
    return f"{signed.decode()}.{signature.decode() if secret else ''}"


@pytest.mark.parametrize("private", REFUSED.values(), ids=REFUSED.keys())
def test_weak_and_other_keys(private: Any) -> None:  # noqa: ANN401 - any kind of key
    """A key that is weak, or for no algorithm of ours, is refused at the start."""
    with pytest.raises(ConfigError, match="JWT_PUBLIC_KEY is not valid"):
        tokens(JWT_PUBLIC_KEY=pem(private))


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"lasts": -3}, "the token has expired"),
        ({"exp": None}, "the token lacks a claim that it must have"),
        ({"user": None}, "the token lacks a claim that it must have"),
        ({"aud": "another"}, "the token is not for this server"),
        ({"aud": None}, "the token lacks a claim that it must have"),
        ({"iss": "another"}, "the token is not from the issuer that this server trusts"),
        ({"iss": None}, "the token lacks a claim that it must have"),
        ({"nbf": 2**40}, "the token is not valid yet"),
        ({"exp": "tomorrow"}, "the token is not valid"),
        ({"exp": float("inf")}, "the token is not valid"),
        ({"exp": 10**400}, "the token is not valid"),
        ({"user": ""}, "the token is not valid"),
        ({"user": "a\x00b"}, "the token is not valid"),
        ({"user": "a" * 257}, "the token is not valid"),
        ({"user": True}, "the token is not valid"),
        ({"user": 2**53}, "the token is not valid"),
        ({"user": 7.5}, "the token is not valid"),
        ({"user": -1}, "the token is not valid"),
        ({"user": ["ann"]}, "the token is not valid"),
        ({"headers": {"kid": "../../../../etc/passwd"}, "key": "x" * 64}, "the token is not valid"),
    ],
)
async def test_claims(claims: dict[str, Any], said: str) -> None:
    """A token is refused for each claim that is not as it must be, and a sentence says which."""
    verifier = tokens(JWT_KEY=KEY, JWT_AUDIENCE="chat", JWT_ISSUER="us")
    claims = {"user": "ann", "aud": ["chat", "mail"], "iss": "us"} | claims
    assert await refused(verifier, token(**claims)) == said


async def test_what_is_taken() -> None:
    """A token says who its bearer is and until when; small differences of clocks do not matter."""
    verifier = tokens(JWT_KEY=KEY, JWT_LEEWAY="2")
    now = int(time.time())
    assert await verifier.verify(token("ann", exp=now + 60)) == Bearer("ann", now + 60)
    assert (await verifier.verify(token(7))).user == "7"
    assert (await verifier.verify(token("ann", aud="anything", iss="anybody"))).user == "ann"
    assert (await verifier.verify(token("ann", exp=now + 10**15))).expires < 10**12
    assert (await verifier.verify(token("ann", nbf=int(time.time()) + 1))).user == "ann"


VERIFIER = tokens(**JWT)


@given(st.text() | st.lists(st.text(), min_size=3, max_size=3).map(".".join))
async def test_any_text(shown: str) -> None:
    """Whatever text is shown as a token, it is refused like any bad one."""
    await refused(VERIFIER, shown)


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("sub", "exp", "nbf", "iat", "aud", "jti"), any_json)
    ),
    st.dictionaries(st.sampled_from(["kid", "crit", "cty", "jku", "x5u", "jwk"]), any_json),
)
async def test_any_claims(claims: dict[str, Any], header: dict[str, Any]) -> None:
    """Whatever a signed token holds, it names somebody who could have such a name, or nobody."""
    shown = jwt.api_jws.encode(json.dumps(claims).encode(), KEY, "HS256", _writable(header))
    if bearer := await verified(shown):
        assert bearer.user == str(claims["sub"])
        assert bearer.user.isprintable()


async def verified(shown: str) -> Bearer | None:
    """Whom a token names; None where it is refused."""
    try:
        return await VERIFIER.verify(shown)
    except ChatError as error:
        if error.code != "unauthorized":
            raise
        return None


def _writable(header: dict[str, Any]) -> dict[str, Any]:
    """The headers that the library lets one write."""
    return {name: value for name, value in header.items() if name != "kid" or value is str(value)}
