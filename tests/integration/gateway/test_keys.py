"""Keys that are fetched from an address: a real server, which rotates keys, hangs, and is away."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from http import HTTPStatus
from unittest.mock import patch

import jwt
import pytest

from gateway.access.keys import keys_of
from gateway.access.tokens import Tokens
from shared.config import Settings, load
from shared.errors import ChatError
from tests.support.key_server import ALGORITHMS, KeyServer, answering, hanging
from tests.support.tokens import token


@pytest.fixture
async def issuer() -> AsyncIterator[KeyServer]:
    """A server of a set with one key."""
    one = KeyServer()
    one.add("first", "ES256")
    async with one.running():
        yield one


def verifier(issuer: KeyServer) -> Tokens:
    """What fetches its keys."""
    settings = load(Settings, {"AUTH_MODE": "jwt", "JWT_JWKS_URL": issuer.url()})
    return Tokens(settings, keys_of(settings))


async def code(tokens: Tokens, shown: str) -> str:
    """The code by which a token is refused."""
    with pytest.raises(ChatError) as refusal:
        await tokens.verify(shown)
    return refusal.value.code


unhurried = patch("gateway.access.keys.MIN_FETCH_INTERVAL_SECONDS", 0.0)
"""Lets keys be fetched as often as they are wanted."""


async def test_every_kind(issuer: KeyServer) -> None:
    """Tokens by any key of the set are taken, which is fetched once for all of them."""
    for algorithm in ALGORITHMS:
        issuer.add(algorithm, algorithm)
    tokens = verifier(issuer)
    shown = [issuer.sign(kid, f"user of {kid}") for kid in ("first", *ALGORITHMS)]
    found = await asyncio.gather(*map(tokens.verify, shown))
    assert [bearer.user for bearer in found] == [f"user of {kid}" for kid in ("first", *ALGORITHMS)]
    assert issuer.asked == ["/keys"]


async def test_rotation(issuer: KeyServer) -> None:
    """A key that is new is found when a token names it."""
    tokens = verifier(issuer)
    await tokens.verify(issuer.sign("first"))
    issuer.add("second", "ES256")
    with unhurried:
        assert (await tokens.verify(issuer.sign("second"))).user == "ann"


async def test_names_of_no_key(issuer: KeyServer) -> None:
    """Names of no key have the set fetched once in a while, not once for each."""
    with patch("gateway.access.keys.MIN_FETCH_INTERVAL_SECONDS", 10**6):
        tokens = verifier(issuer)
        for kid in ("x", "../../etc/passwd", "' OR 1=1 --", "first\x00"):
            assert await code(tokens, token("ann", headers={"kid": kid})) == "unauthorized"
        assert await code(tokens, token("ann")) == "unauthorized"
        assert (await tokens.verify(issuer.sign("first"))).user == "ann"
    assert issuer.asked == ["/keys"]


async def test_entries_that_are_not_for_us(issuer: KeyServer) -> None:
    """Entries that are no public keys for signatures are passed over; the others count."""
    secret = "a shared key has no place in a public set of keys"
    octets = jwt.algorithms.HMACAlgorithm.to_jwk(secret)
    issuer.publish({**json.loads(octets), "kid": "shared"})
    issuer.add("for encryption", "ES256", use="enc")
    issuer.add("for another algorithm", "RS256", alg="RS512")
    issuer.add("for none", "RS256", alg="none")
    for odd in ({}, {"kid": 7}, {"kid": "odd", "kty": "EC", "crv": "P-256"}, {"kid": "odd"}):
        issuer.publish(odd)
    tokens = verifier(issuer)
    shared = token("ann", key=secret, headers={"kid": "shared"})
    for refused in (
        shared,
        *map(issuer.sign, ("for encryption", "for another algorithm", "for none")),
    ):
        assert await code(tokens, refused) == "unauthorized"
    assert (await tokens.verify(issuer.sign("first"))).user == "ann"


@pytest.mark.parametrize("trouble", ["away", "broken", "hanging"])
async def test_trouble(trouble: str) -> None:
    """While the address is of no use, keys that are known hold, and others may be tried again."""
    issuer, answers = KeyServer(), asyncio.Event()
    issuer.add("first", "ES256")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(issuer.running())
        stack.callback(answers.set)
        tokens, fresh = verifier(issuer), verifier(issuer)
        await tokens.verify(issuer.sign("first"))
        shown = issuer.sign("first")
        issuer.add("second", "ES256")
        if trouble == "away":
            await stack.aclose()
        elif trouble == "broken":
            issuer.answers["/keys"] = answering(issuer.body, HTTPStatus.INTERNAL_SERVER_ERROR)
        else:
            issuer.answers["/keys"] = hanging(answers, answering(issuer.body))
        with patch("gateway.access.key_set.TIMEOUT_SECONDS", 0.2), unhurried:
            waiting = asyncio.create_task(code(tokens, issuer.sign("second")))
            await asyncio.sleep(0)
            # Nobody waits who need not.
            assert (await tokens.verify(shown)).user == "ann"
            assert await waiting == "overloaded"
            assert await code(fresh, shown) == "overloaded"
