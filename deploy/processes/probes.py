"""Probes: requests whose answer shows that a process is ready."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping

from deploy.ports import Address
from shared.config.reaching import Reports

PROBE_INTERVAL_SECONDS = 0.05
PROBE_TIMEOUT_SECONDS = 2.0
REPORT_INTERVAL_SECONDS = 3.0  # between two looks at processes that are not ready

# Sends one request; returns None if the process is ready, else the reason in a few words.
Probe = Callable[[], Awaitable[str | None]]


def http_probe(address: Address, path: str, *, tls: bool = False) -> Probe:
    """Return a probe that expects status 200 from `path`; with TLS, any certificate will do."""
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


def redis_probe(address: Address, password: str = "") -> Probe:
    """Return a probe that expects PONG, which Redis does not send while it loads its data."""
    request = f"AUTH {password}\r\nPING\r\n" if password else "PING\r\n"

    async def probe() -> str | None:
        answer = await _exchange(address, request.encode(), lines=2 if password else 1)
        if answer is None:
            return "no answer"
        return None if answer.startswith(b"+PONG") else answer.decode(errors="replace").strip()

    return probe


async def until_all_answer(probes: Mapping[str, Probe], report: Callable[[str], None]) -> None:
    """Wait until each probe has succeeded, and report which have not, and when that changes."""
    reports = Reports(report)
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
                reports.say(f"still waiting for {', '.join(reasons)}")


async def _exchange(
    address: Address, request: bytes, *, tls: bool = False, lines: int = 1
) -> bytes | None:
    """Send `request` and return the last of so many lines of the answer; None without an answer."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection(
                *address.reachable, ssl=_unverified() if tls else None
            )
            try:
                writer.write(request)
                for _ in range(lines):
                    answer = await reader.readline()
                return answer or None
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None


def _unverified() -> ssl.SSLContext:
    """TLS settings that accept any certificate; that of a local process is for another name."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
