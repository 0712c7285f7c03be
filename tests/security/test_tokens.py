"""Tokens and their keys: where keys may come from, for how long they count, and which tokens do."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest

from gateway.access.keys import FetchedKeys, keys_of
from gateway.access.tokens import Tokens
from shared.config import Settings, load
from shared.errors import ChatError
from tests.support.certificates import Certificates
from tests.support.cluster import Cluster
from tests.support.key_server import Answer, KeyServer, answering, dripping, leading, saying
from tests.support.process import run
from tests.support.tokens import JWT, token
from tests.support.waiting import HANGS_AFTER, eventually


@pytest.fixture
async def server() -> AsyncIterator[KeyServer]:
    """A server of a set with one key."""
    made = KeyServer()
    made.add("first")
    async with made.running():
        yield made


def verifier(url: str, **env: str) -> Tokens:
    """What verifies tokens by the keys at an address."""
    settings = load(Settings, {"AUTH_MODE": "jwt", "JWT_JWKS_URL": url, **env})
    return Tokens(settings, keys_of(settings))


async def code(tokens: Tokens, shown: str) -> str:
    """Show a token: the code by which it is refused, or `accepted`."""
    try:
        await tokens.verify(shown)
    except ChatError as error:
        return error.code
    return "accepted"


async def test_redirects_within_the_origin(server: KeyServer) -> None:
    """A redirect to another path of the same origin is followed, by its path or as a whole."""
    server.answers["/old"] = leading("/newer", 301)
    server.answers["/newer"] = leading(server.url("/keys?all=1"), 307)
    assert await code(verifier(server.url("/old")), server.sign("first")) == "accepted"
    assert server.asked == ["/old", "/newer", "/keys?all=1"]


LEADS: dict[str, Callable[[KeyServer], str]] = {
    "another port": lambda other: other.url(),
    "another host": lambda _: "http://localhost:1/keys",
    "another scheme": lambda _: "https://127.0.0.1/keys",
    "a file": lambda _: "file:///etc/hostname",
    "FTP": lambda _: "ftp://127.0.0.1/keys",
    "data": lambda _: "data:application/json,%7B%22keys%22%3A%5B%5D%7D",
    "another host without a scheme": lambda other: other.url().removeprefix("http:"),
    "a user of the same host": lambda _: "//eve@127.0.0.1/keys",
    "no address": lambda _: "http://[",
}


@pytest.mark.parametrize("lead", LEADS.values(), ids=LEADS.keys())
async def test_redirects_elsewhere(server: KeyServer, lead: Callable[[KeyServer], str]) -> None:
    """A redirect that leaves the origin is not followed, and no key comes from there."""
    other = KeyServer()
    other.add("theirs")
    async with other.running():
        server.answers["/old"] = leading(lead(other))
        assert await code(verifier(server.url("/old")), other.sign("theirs")) == "overloaded"
    assert (server.asked, other.asked) == (["/old"], [])


async def test_redirects_without_an_end(server: KeyServer) -> None:
    """An address that redirects again and again is given up."""
    server.answers["/old"] = leading("/old")
    assert await code(verifier(server.url("/old")), server.sign("first")) == "overloaded"
    assert len(server.asked) == 4


def padded(size: int) -> bytes:
    """A valid set of so many bytes without a key."""
    return b'{"keys": []}' + b" " * size


ODD: dict[str, Answer] = {
    "too large": answering(lambda: padded(1_048_576)),
    "too large, and nobody says so": saying(b"HTTP/1.1 200 OK\r\n\r\n" + padded(1_048_576)),
    "a head without an end": saying(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_048_576),
    "cut off": saying(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"keys": []}'),
    "not HTTP": saying(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "not JSON": answering(lambda: b"<html>"),
    "nested without an end": answering(lambda: b"[" * 100_000),
    "refused": saying(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    "nothing": saying(b""),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
async def test_answers_that_are_no_key_set(server: KeyServer, odd: Answer) -> None:
    """What is no set of keys, or too large for one, changes nothing: what was known holds."""
    tokens = verifier(server.url())
    first = server.sign("first")
    assert await code(tokens, first) == "accepted"
    server.add("second")
    server.answers["/keys"] = odd
    with patch("gateway.access.keys.MIN_FETCH_INTERVAL_SECONDS", 0.0):
        assert await code(tokens, server.sign("second")) == "overloaded"
        assert await code(tokens, first) == "accepted"
        del server.answers["/keys"]
        assert await code(tokens, server.sign("second")) == "accepted"


SLOW = {
    "head": b"HTTP/1.1 200 OK\r\nX: ",
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n",
    "first line": b"",
}


@pytest.mark.parametrize("begun", SLOW.values(), ids=SLOW.keys())
async def test_slow_answers(server: KeyServer, begun: bytes) -> None:
    """A server that sends a byte now and then is given up when the time of a fetch is over."""
    server.answers["/keys"] = dripping(begun)
    with patch("gateway.access.key_set.TIMEOUT_SECONDS", 0.5):
        async with asyncio.timeout(HANGS_AFTER):
            assert await code(verifier(server.url()), server.sign("first")) == "overloaded"


async def test_many_keys(server: KeyServer) -> None:
    """A set of a hundred keys is taken, and of one more is not."""
    for number in range(99):
        server.add(str(number))
    assert await code(verifier(server.url()), server.sign("98")) == "accepted"
    server.add("one more")
    assert await code(verifier(server.url()), server.sign("98")) == "overloaded"


async def test_certificates_of_an_address(certificates: Certificates) -> None:
    """A set comes over https from whom the system trusts, under the name that was asked for."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.together)
    server = KeyServer()
    server.add("first")
    async with server.running(context):
        shown = server.sign("first")
        assert await code(verifier(server.url()), shown) == "overloaded"
        assert server.asked == []
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("SSL_CERT_FILE", str(certificates.authority))
            assert await code(verifier(server.url()), shown) == "accepted"
            another_name = server.url(host="127.1")  # the same address
            assert await code(verifier(another_name), shown) == "overloaded"
    assert server.asked == ["/keys"]


async def test_proxies_of_the_environment(server: KeyServer) -> None:
    """A proxy that the environment names is not asked for keys."""
    other = KeyServer()
    async with other.running():
        with pytest.MonkeyPatch.context() as patched:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
                patched.setenv(name, other.url(""))
            patched.delenv("NO_PROXY", raising=False)
            patched.delenv("no_proxy", raising=False)
            assert await code(verifier(server.url()), server.sign("first")) == "accepted"
    assert other.asked == []


@asynccontextmanager
async def refreshed(url: str, max_age: str) -> AsyncIterator[Tokens]:
    """What verifies tokens, and fetches its keys in the background, as in a gateway."""
    settings = load(
        Settings, {"AUTH_MODE": "jwt", "JWT_JWKS_URL": url, "JWT_JWKS_MAX_AGE": max_age}
    )
    keys = keys_of(settings)
    assert isinstance(keys, FetchedKeys)
    keys.task.start()
    try:
        yield Tokens(settings, keys)
    finally:
        await keys.task.close()


async def test_a_key_that_is_gone(server: KeyServer) -> None:
    """A key that is taken out of the set stops working, though nobody names an unknown one."""
    server.add("second")
    often = patch("gateway.access.keys.REFRESH_INTERVAL_SECONDS", 0.2)
    with often, patch("gateway.access.keys.MIN_FETCH_INTERVAL_SECONDS", 0.1):
        async with refreshed(server.url(), "3600") as tokens:
            assert await code(tokens, server.sign("first")) == "accepted"
            server.take_out("first")

            async def refused() -> bool:
                return await code(tokens, server.sign("first")) == "unauthorized"

            assert await eventually(refused)
            assert await code(tokens, server.sign("second")) == "accepted"


async def test_keys_are_fetched_before_they_are_too_old(server: KeyServer) -> None:
    """While the address answers, a known key works at any time, however old the first fetch is."""
    async with refreshed(server.url(), "3") as tokens:

        async def fetched_often() -> bool:
            assert await code(tokens, server.sign("first")) == "accepted"
            return len(server.asked) > 6

        assert await eventually(fetched_often)


async def test_a_key_that_is_gone_while_the_address_is_away() -> None:
    """While nobody can fetch the set, its keys work for JWT_JWKS_MAX_AGE, and no longer."""
    server = KeyServer()
    server.add("first")
    shown = server.sign("first")
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(AsyncExitStack())
        await there.enter_async_context(server.running())
        tokens = await stack.enter_async_context(refreshed(server.url(), "2"))
        assert await code(tokens, shown) == "accepted"
        await there.aclose()
        assert await code(tokens, shown) == "accepted"

        async def refused() -> bool:
            return await code(tokens, shown) == "overloaded"

        assert await eventually(refused)
        async with server.running():

            async def accepted() -> bool:
                return await code(tokens, shown) == "accepted"

            assert await eventually(accepted)


async def test_a_gateway_with_a_key_set(server: KeyServer) -> None:
    """A gateway lets in whom a key of the set names, and for its audience only."""
    env = {"AUTH_MODE": "jwt", "JWT_JWKS_URL": server.url(), "JWT_AUDIENCE": "chat"}
    async with Cluster(gateways=1, env=env) as cluster:
        for aud, status in (("chat", 201), ("mail", 401), (None, 401)):
            shown = {"Authorization": f"Bearer {server.sign('first', aud=aud)}"}
            async with httpx.AsyncClient(base_url=cluster.gateway_url(1)) as http:
                assert (await http.post("/tickets", headers=shown)).status_code == status, aud


def by_key(**env: str) -> Tokens:
    """What verifies tokens by one shared key."""
    settings = load(Settings, {**JWT, **env})
    return Tokens(settings, keys_of(settings))


async def test_how_long_a_token_lasts() -> None:
    """With JWT_MAX_HOURS, a token that lasts for longer is refused, and one that does not say."""
    tokens, now = by_key(JWT_MAX_HOURS="2"), int(time.time())
    for iat, exp, found in (
        (now, now + 7200, "accepted"),
        (now - 3600, now + 3600, "accepted"),
        (now, now + 7201, "unauthorized"),
        (now - 3600, now + 3601, "unauthorized"),
        (None, now + 60, "unauthorized"),
    ):
        assert await code(tokens, token("ann", iat=iat, exp=exp)) == found, (iat, exp)
    assert await code(by_key(), token("ann", exp=now + 10**9)) == "accepted"


async def test_the_claim_of_a_user() -> None:
    """With JWT_USER_CLAIM, that claim names the user, by the rules of every name."""
    tokens = by_key(JWT_USER_CLAIM="email")
    assert (await tokens.verify(token("1", email="ann@example.org"))).user == "ann@example.org"
    assert (await tokens.verify(token(None, email=7))).user == "7"
    assert (await tokens.verify(token(["a"], email="ann"))).user == "ann"
    for wrong in (None, "", "a" * 257, ["ann"], {"a": 1}, True, 7.5, "a\x00"):
        assert await code(tokens, token("ann", email=wrong)) == "unauthorized", wrong


SETTINGS = {
    "a short key": ({"SECRET_KEYS": "k" * 31}, "SECRET_KEYS has a key of less than 32 bytes"),
    "a short key behind a long one": (
        {"SECRET_KEYS": f"{'k' * 32},{'s' * 31}"},
        "SECRET_KEYS has a key of less than 32 bytes: key 2 of 2",
    ),
    "all of IPv4": ({"TRUSTED_PROXIES": "0.0.0.0/0"}, "TRUSTED_PROXIES=0.0.0.0/0 is not valid"),
    "all of IPv6": ({"TRUSTED_PROXIES": "10.0.0.1,::/0"}, "TRUSTED_PROXIES=10.0.0.1,::/0 is"),
    "all of IPv4 in parts": (
        {"TRUSTED_PROXIES": "0.0.0.0/1,192.0.0.0/2,128.0.0.0/2"},
        "TRUSTED_PROXIES=0.0.0.0/1,192.0.0.0/2,128.0.0.0/2 is not valid: it covers all addresses",
    ),
    "a key set for anybody": (
        {"AUTH_MODE": "jwt", "JWT_JWKS_URL": "https://id.example/keys"},
        "JWT_JWKS_URL needs JWT_AUDIENCE or JWT_ISSUER",
    ),
    "a key set in the clear": (
        {"AUTH_MODE": "jwt", "JWT_JWKS_URL": "http://id.example/keys", "JWT_ISSUER": "us"},
        "JWT_JWKS_URL is not valid: it must begin with https://",
    ),
}


@pytest.mark.parametrize(("env", "said"), SETTINGS.values(), ids=SETTINGS.keys())
async def test_settings_that_guard_nothing(env: dict[str, str], said: str, tmp_path: Path) -> None:
    """A setting with which anybody could come in ends a gateway and a cluster with a sentence."""
    env = {"DATA_DIR": str(tmp_path / "data"), **env}
    for words in (("gateway",), ("gateway", "--check"), ("deploy.cluster", "--check")):
        code, _, err = await run(*words, env=env)
        found = [line for line in err.splitlines() if line.startswith(said)]
        assert (code, len(found)) == (2, 1), (words, err)
        assert not any(secret in err for secret in ("k" * 31, "s" * 31))
