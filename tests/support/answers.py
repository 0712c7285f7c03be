"""Answers of servers that may not listen or be ready yet."""

import ssl
from collections.abc import Mapping

import httpx

from tests.support.waiting import eventually


async def answer(
    url: str,
    method: str = "GET",
    *,
    headers: Mapping[str, str] | None = None,
    json: object = None,
) -> httpx.Response:
    """Ask until something listens; the answer, whatever its status."""
    async with httpx.AsyncClient(timeout=30) as http:

        async def asked() -> httpx.Response | None:
            try:
                return await http.request(method, url, headers=headers, json=json)
            except httpx.ConnectError:
                return None

        found = await eventually(asked)
    assert found is not None
    return found


async def until_ready(url: str, verify: ssl.SSLContext | None = None) -> None:
    """Wait until `/health/ready` of a server is answered by 200.

    Args:
        url: the server's address, without a path.
        verify: what its certificate is checked with; the usual authorities, where none is given.
    """
    async with httpx.AsyncClient(base_url=url, verify=verify or True) as http:

        async def is_ready() -> bool:
            try:
                return (await http.get("/health/ready")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(is_ready)
