"""Questions that tell whether a process is there."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from deploy.ports import Address
from deploy.processes import probes
from deploy.processes.probes import http_probe, redis_probe, until_all_answer
from tests.support.ports import free_port


@contextlib.asynccontextmanager
async def server(answer: bytes) -> AsyncIterator[Address]:
    """A server that gives every connection the same answer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    address = Address("127.0.0.1", free_port())
    async with await asyncio.start_server(serve, *address):
        yield address


async def test_status_200_is_well() -> None:
    """A gateway that answers 200 is ready."""
    async with server(b"HTTP/1.1 200 OK\r\n\r\n") as address:
        assert await http_probe(address, "/health/ready")() is None


async def test_another_status_is_told() -> None:
    """A gateway that answers 503 is not, and the answer is told."""
    async with server(b"HTTP/1.1 503 Service Unavailable\r\n\r\n") as address:
        told = await http_probe(address, "/health/ready")()
        assert told == f"http://{address}/health/ready answers 503"


@pytest.mark.parametrize("probe", [lambda address: http_probe(address, "/"), redis_probe])
async def test_silence_is_told(probe: Callable[[Address], probes.Probe]) -> None:
    """Where nobody listens there is no answer, and no error either."""
    assert await probe(Address("127.0.0.1", free_port()))() == "no answer"


async def test_redis_answers_once_it_has_loaded() -> None:
    """Redis is there when it answers a ping, not while it still loads its data."""
    async with server(b"-LOADING the dataset is being loaded\r\n") as address:
        assert await redis_probe(address)() == "-LOADING the dataset is being loaded"
    async with server(b"+PONG\r\n") as address:
        assert await redis_probe(address)() is None


async def test_what_is_missing_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one of several does not answer, its name and the reason are reported repeatedly."""
    monkeypatch.setattr(probes, "REPORT_INTERVAL_SECONDS", 0.01)
    reports: list[str] = []
    enough = asyncio.Event()

    def report(line: str) -> None:
        reports.append(line)
        if len(reports) == 3:
            enough.set()

    async def there() -> None:
        return None

    async def missing() -> str | None:
        return None if enough.is_set() else "no answer"

    await until_all_answer({"redis": there, "gateway-1": missing}, report)
    assert reports[-1] == "still waiting for gateway-1 (no answer)"
