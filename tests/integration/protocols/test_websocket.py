"""RFC 6455 by the Autobahn cases in PyPI's `kosoku`, over what a gateway speaks WebSocket with."""

import asyncio
import json
import sys
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.integration.protocols.conftest import Server

LEFT_OUT = ["9.*", "12.*", "13.*"]  # speed, and compression, which a gateway does not offer

PASSED = {"OK", "NON-STRICT", "INFORMATIONAL"}


async def test_autobahn_cases(calm: Server, tmp_path: Path) -> None:
    """Every case passes that applies."""
    excluded = [word for case in LEFT_OUT for word in ("-x", case)]
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("kosoku"),
        *("-p", "4", *excluded, "-o", str(tmp_path), calm.address),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()

    report = json.loads((tmp_path / "index.json").read_text())
    (cases,) = report.values()
    assert len(cases) >= 240, said.decode()
    failed = [
        name for name, case in cases.items() if {case["behavior"], case["behaviorClose"]} - PASSED
    ]
    assert failed == [], said.decode()


async def test_a_handshake_with_a_long_header(calm: Server) -> None:
    """A handshake with a long token is answered, if not taken then by 431; nobody waits."""
    headers = {"Authorization": f"Bearer {'x' * 9000}"}
    try:
        socket = await connect(f"ws://{calm.address}/", additional_headers=headers)
    except InvalidStatus as refusal:
        status = refusal.response.status_code
    else:
        status = socket.response.status_code if socket.response else 0
        await socket.close()
    assert status in {101, 431}


KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
VERSION = b"Sec-WebSocket-Version: 13\r\n"
OFFER = b"Sec-WebSocket-Protocol: one, \xff\r\n"
UPGRADE = b"Host: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"


@pytest.mark.parametrize(
    ("line", "headers", "answer"),
    [
        (b"GET /", KEY + VERSION, b"101 Switching Protocols"),
        (b"GET /", KEY + VERSION + OFFER, b"101 Switching Protocols"),
        (b"GET /nowhere", KEY + VERSION, b"403 Forbidden"),
        (b"GET /", KEY, b"426 Upgrade Required"),
        (b"GET /", KEY + b"Sec-WebSocket-Version: 8\r\n", b"426 Upgrade Required"),
        (b"GET /", VERSION, b"400 Bad Request"),
        (b"GET /", VERSION + b"Sec-WebSocket-Key: c2hvcnQ=\r\n", b"400 Bad Request"),
        (b"GET /", VERSION + b"Sec-WebSocket-Key: \xff\xfe?\r\n", b"400 Bad Request"),
        (b"POST /", KEY + VERSION, b"400 Bad Request"),
    ],
)
async def test_handshakes(calm: Server, line: bytes, headers: bytes, answer: bytes) -> None:
    """A handshake that is none is refused with the status that says why, without a trace."""
    host, port = calm.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(line + b" HTTP/1.1\r\n" + UPGRADE + headers + b"\r\n")
    async with asyncio.timeout(30):
        assert await reader.readline() == b"HTTP/1.1 " + answer + b"\r\n"
        if answer.startswith(b"101"):
            writer.close()
        else:
            assert b"connection: close" in (await reader.read()).lower()
    assert calm.logged_no_trace()
