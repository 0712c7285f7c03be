"""Questions whose answer tells that a process is there."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping

from deploy.ports import Address

PROBE_INTERVAL_SECONDS = 0.05  # seconds between two questions
PROBE_TIMEOUT_SECONDS = 2.0  # seconds for one answer
REPORT_INTERVAL_SECONDS = 3.0  # seconds between two words on what is not there yet

# Asks once; returns None when all is well, else what is wrong in a few words.
Probe = Callable[[], Awaitable[str | None]]


def http_probe(address: Address, path: str, *, tls: bool = False) -> Probe:
    """Return a probe that wants status 200 from `path` at `address`, whatever its certificate."""
    request = f"GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"

    async def probe() -> str | None:
        answer = await _exchange(address, request.encode(), tls=tls)
        if answer is None:
            return "no answer"
        status = answer.split()[1:2]
        if status == [b"200"]:
            return None
        return f"{address.url}{path} answers {b' '.join(status).decode(errors='replace')}"

    return probe


def redis_probe(address: Address) -> Probe:
    """Return a probe that wants a PONG, which a server that still loads its data refuses."""

    async def probe() -> str | None:
        answer = await _exchange(address, b"PING\r\n")
        if answer is None:
            return "no answer"
        return None if answer.startswith(b"+PONG") else answer.decode(errors="replace").strip()

    return probe


async def until_all_answer(probes: Mapping[str, Probe], report: Callable[[str], None]) -> None:
    """Wait until each probe, by name, has succeeded; `report` now and then what is missing."""
    missing: dict[str, str | None] = dict.fromkeys(probes, "not asked yet")

    async def until_answered(name: str) -> None:
        while missing[name] is not None:
            missing[name] = await probes[name]()
            if missing[name] is not None:
                await asyncio.sleep(PROBE_INTERVAL_SECONDS)

    async with asyncio.TaskGroup() as tasks:
        waiting = {tasks.create_task(until_answered(name)) for name in probes}
        while waiting:
            _, waiting = await asyncio.wait(waiting, timeout=REPORT_INTERVAL_SECONDS)
            if waiting:
                reasons = [f"{name} ({what})" for name, what in missing.items() if what]
                report(f"still waiting for {', '.join(reasons)}")


async def _exchange(address: Address, request: bytes, *, tls: bool = False) -> bytes | None:
    """Send `request` and return the first line of the answer; None when there is none."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection(
                *address.reachable, ssl=_unverified() if tls else None
            )
            try:
                writer.write(request)
                return await reader.readline() or None
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None


def _unverified() -> ssl.SSLContext:
    """TLS with our own process on this machine: its certificate is for another name."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
