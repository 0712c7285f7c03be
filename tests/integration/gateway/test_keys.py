"""Keys that are fetched from an address: a real server, which rotates keys, hangs, and is away."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest.mock import patch

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from gateway.access.keys import keys_of
from gateway.access.tokens import Tokens
from shared.config import Settings, load
from shared.errors import ChatError
from tests.support.tokens import token

ALGORITHMS: dict[str, Any] = {
    "RS256": (jwt.algorithms.RSAAlgorithm, lambda: rsa.generate_private_key(65537, 2048)),
    "ES256": (jwt.algorithms.ECAlgorithm, lambda: ec.generate_private_key(ec.SECP256R1())),
    "EdDSA": (jwt.algorithms.OKPAlgorithm, ed25519.Ed25519PrivateKey.generate),
}


class Issuer:
    """Signs tokens, and serves the keys to check them with.

    Attributes:
        asked: how often it was asked for its keys.
        answers: cleared, it lets everybody wait.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.status = 200
        self.answers = threading.Event()
        self.answers.set()
        self._public: list[dict[str, Any]] = []
        self._private: dict[str, tuple[str, Any]] = {}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler) -> None:  # noqa: N805 - the library's name; `self` is the issuer
                self._serve(handler)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        """Where its keys are."""
        return f"http://127.0.0.1:{self._server.server_port}/keys"

    def add(self, kid: str, algorithm: str = "ES256", **more: object) -> None:
        """Sign by one more key."""
        kind, make = ALGORITHMS[algorithm]
        private = make()
        self._private[kid] = (algorithm, private)
        self.publish({**json.loads(kind.to_jwk(private.public_key())), "kid": kid, **more})

    def publish(self, entry: dict[str, Any]) -> None:
        """Serve one more entry, whatever it is."""
        self._public.append(entry)

    def sign(self, kid: str, user: str = "ann") -> str:
        """A token by one of its keys."""
        algorithm, private = self._private[kid]
        return token(user, key=private, algorithm=algorithm, headers={"kid": kid})

    def close(self) -> None:
        """Be away."""
        self.answers.set()
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked += 1
        self.answers.wait()
        body = json.dumps({"keys": self._public}).encode()
        with contextlib.suppress(OSError):  # whoever asked may wait no longer
            handler.send_response(self.status)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An issuer with one key."""
    one = Issuer()
    one.add("first")
    yield one
    one.close()


def verifier(issuer: Issuer) -> Tokens:
    """What fetches its keys."""
    settings = load(Settings, {"AUTH_MODE": "jwt", "JWT_JWKS_URL": issuer.url})
    return Tokens(settings, keys_of(settings))


async def code(tokens: Tokens, shown: str) -> str:
    """The code by which a token is refused."""
    with pytest.raises(ChatError) as refusal:
        await tokens.verify(shown)
    return refusal.value.code


unhurried = patch("gateway.access.keys.MIN_FETCH_INTERVAL_SECONDS", 0.0)
"""Lets keys be fetched as often as they are wanted."""


async def test_every_kind(issuer: Issuer) -> None:
    """Tokens by any key of the set are taken, which is fetched once for all of them."""
    for algorithm in ALGORITHMS:
        issuer.add(algorithm, algorithm)
    tokens = verifier(issuer)
    shown = [issuer.sign(kid, f"user of {kid}") for kid in ("first", *ALGORITHMS)]
    found = await asyncio.gather(*map(tokens.verify, shown))
    assert [bearer.user for bearer in found] == [f"user of {kid}" for kid in ("first", *ALGORITHMS)]
    assert issuer.asked == 1


async def test_rotation(issuer: Issuer) -> None:
    """A key that is new is found when a token names it."""
    tokens = verifier(issuer)
    await tokens.verify(issuer.sign("first"))
    issuer.add("second")
    with unhurried:
        assert (await tokens.verify(issuer.sign("second"))).user == "ann"


async def test_names_of_no_key(issuer: Issuer) -> None:
    """Names of no key have the set fetched once in a while, not once for each."""
    with patch("gateway.access.keys.MIN_FETCH_INTERVAL_SECONDS", 10**6):
        tokens = verifier(issuer)
        for kid in ("x", "../../etc/passwd", "' OR 1=1 --", "first\x00"):
            assert await code(tokens, token("ann", headers={"kid": kid})) == "unauthorized"
        assert await code(tokens, token("ann")) == "unauthorized"
        assert (await tokens.verify(issuer.sign("first"))).user == "ann"
    assert issuer.asked == 1


async def test_entries_that_are_not_for_us(issuer: Issuer) -> None:
    """Entries that are no public keys for signatures are passed over; the others count."""
    secret = "a shared key has no place in a public set of keys"
    octets = jwt.algorithms.HMACAlgorithm.to_jwk(secret)
    issuer.publish({**json.loads(octets), "kid": "shared"})
    issuer.add("for encryption", use="enc")
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
async def test_trouble(issuer: Issuer, trouble: str) -> None:
    """While the address is of no use, keys that are known hold, and others may be tried again."""
    tokens, fresh = verifier(issuer), verifier(issuer)
    await tokens.verify(issuer.sign("first"))
    shown = issuer.sign("first")
    issuer.add("second")
    with patch("gateway.access.key_set.TIMEOUT_SECONDS", 0.2):
        if trouble == "away":
            issuer.close()
        elif trouble == "broken":
            issuer.status = 500
        else:
            issuer.answers.clear()
        with unhurried:
            waiting = asyncio.create_task(code(tokens, issuer.sign("second")))
            await asyncio.sleep(0)
            # Nobody waits who need not.
            assert (await tokens.verify(shown)).user == "ann"
            assert await waiting == "overloaded"
            assert await code(fresh, shown) == "overloaded"
        issuer.answers.set()
