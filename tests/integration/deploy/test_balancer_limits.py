"""The limits of HAProxy for an address: connections, requests and sessions that there are not."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.integration.deploy.balanced import UPGRADE, Setup, balanced
from tests.support.waiting import eventually

# Nothing comes back while a test runs: 2 gateways grant 2 x 4 pages, the others 4 each, and one is
# added to each for what a window cannot see.
RATES = {
    "RATE_PAGES": "1/1h:4",
    "RATE_REST": "1/1h:4",
    "RATE_CONNECTIONS": "1/1h:4",
    "MAX_CONNECTIONS": "100",
}
REQUESTS = 2 * 5 + 5 + 5
SESSIONS = 5

FEW = {"MAX_CONNECTIONS": "5"}


def request(path: str, forwarded: str = "") -> bytes:
    """A request, with the addresses that a proxy has added."""
    more = f"X-Forwarded-For: {forwarded}\r\n" if forwarded else ""
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode()


def upgrade(forwarded: str) -> bytes:
    """A handshake, with the addresses that a proxy has added."""
    return UPGRADE[:-2] + f"X-Forwarded-For: {forwarded}\r\n\r\n".encode()


async def held(setup: Setup, held: AsyncExitStack, handshakes: list[bytes], source: str) -> int:
    """Open WebSockets and hold them: how many were let in."""
    let_in = 0
    for handshake in handshakes:
        answer = await setup.ask(handshake, source)
        held.callback(answer.close)
        let_in += answer.status == 101
    return let_in


async def statuses(setup: Setup, requests: list[bytes], source: str) -> list[int]:
    """Send requests, each on a connection of its own; the status of each answer."""
    got = []
    for each in requests:
        answer = await setup.ask(each, source)
        answer.close()
        got.append(answer.status)
    return got


async def assert_says_when(setup: Setup, request: bytes, source: str) -> None:
    """A refusal says when to ask again, and has the headers of any other answer."""
    answer = await setup.ask(request, source)
    answer.close()
    assert answer.status == 429
    assert "retry-after: 1" in answer.head
    assert "content-security-policy" in answer.head


async def test_addresses_that_hold_connections(tmp_path: Path) -> None:
    """An address holds so many WebSockets for as long as they live; another gets in."""
    async with balanced("haproxy", tmp_path, **FEW) as setup, AsyncExitStack() as sockets:
        assert await held(setup, sockets, [UPGRADE] * 12, "127.0.0.5") == 5
        assert await held(setup, sockets, [UPGRADE], "127.0.0.6") == 1
        # Behind no trusted proxy it counts for nothing what a client says of itself.
        assert await held(setup, sockets, [upgrade("203.0.113.9")], "127.0.0.5") == 0
        await sockets.aclose()

        async def let_in() -> bool:
            return await held(setup, sockets, [UPGRADE], "127.0.0.5") == 1

        assert await eventually(let_in)


SAME = {
    "one /64": [f"2001:db8:0:1::{number:x}" for number in range(1, 13)],
    "one address in two forms": ["203.0.113.9", "::ffff:203.0.113.9"] * 6,
    "behind two proxies": ["203.0.113.9, 10.0.0.1"] * 12,
    "behind three, and more said before": [
        f"198.51.100.{n}, 203.0.113.9, 10.1.1.1, 10.0.0.1" for n in range(12)
    ],
    "with a port": [f"203.0.113.9:{number}" for number in range(1, 13)],
}


@pytest.mark.parametrize("same", SAME)
async def test_clients_behind_a_trusted_proxy(tmp_path: Path, same: str) -> None:
    """Behind trusted proxies each client holds so many WebSockets, and the proxy any number."""
    trusted = {"TRUSTED_PROXIES": "127.0.0.2,10.0.0.0/8", **FEW}
    async with balanced("haproxy", tmp_path, **trusted) as setup, AsyncExitStack() as sockets:
        assert await held(setup, sockets, [upgrade(each) for each in SAME[same]], "127.0.0.2") == 5
        await assert_says_when(setup, upgrade(SAME[same][0]), "127.0.0.2")
        others = [upgrade(f"2001:db8:0:{number:x}::1") for number in range(2, 10)]
        assert await held(setup, sockets, others, "127.0.0.2") == 8
        assert await held(setup, sockets, [UPGRADE] * 8, "127.0.0.2") == 8


async def test_an_address_that_asks_too_often(tmp_path: Path) -> None:
    """Above what all gateways grant, requests of an address get 429; others are answered."""
    async with balanced("haproxy", tmp_path, TRUSTED_PROXIES="127.0.0.2", **RATES) as setup:
        paths = [request(path) for path in ("/who", "/health/live", "/nothing", "/chats/1")] * 7
        got = await statuses(setup, paths, "127.0.0.5")
        assert got == [200] * REQUESTS + [429] * (len(paths) - REQUESTS)
        await assert_says_when(setup, request("/who"), "127.0.0.5")
        assert await statuses(setup, [request("/who")], "127.0.0.6") == [200]
        behind = [request("/who", f"2001:db8::{number:x}") for number in range(1, 25)]
        assert set((await statuses(setup, behind, "127.0.0.2"))[REQUESTS:]) == {429}
        assert await statuses(setup, [request("/who", "2001:db9::1")], "127.0.0.2") == [200]
        # The proxy itself asks whether the cluster is well, as often as it likes.
        checks = [request("/health/ready")] * 25
        assert await statuses(setup, checks, "127.0.0.2") == [200] * 25


@pytest.mark.parametrize("upgrading", [False, True])
async def test_sessions_that_there_are_not(tmp_path: Path, *, upgrading: bool) -> None:
    """A session that no gateway has counts as a connection; those who have one go on."""
    async with balanced("haproxy", tmp_path, **RATES) as setup:
        known, unknown = "/socket.io/?sid=gateway-1.a", "/socket.io/?EIO=4&sid=gateway-1.unknown"
        asked = [UPGRADE.replace(b"/ws", unknown.encode()) if upgrading else request(unknown)] * 8
        assert await statuses(setup, [request(known)] * 30, "127.0.0.5") == [200] * 30
        expected = [400] * SESSIONS + [429] * (8 - SESSIONS)
        assert await statuses(setup, asked, "127.0.0.5") == expected
        assert await statuses(setup, [request(known)], "127.0.0.6") == [200]


async def test_no_limits(tmp_path: Path) -> None:
    """Without limits of rates an address holds and asks what it likes."""
    limits = {**RATES, **FEW, "RATE_LIMITS": "off"}
    async with balanced("haproxy", tmp_path, **limits) as setup, AsyncExitStack() as sockets:
        assert await held(setup, sockets, [UPGRADE] * 12, "127.0.0.5") == 12
        assert await statuses(setup, [request("/who")] * 40, "127.0.0.5") == [200] * 40
