"""RFC 6455 by the Autobahn cases in PyPI's `kosoku`, over what a gateway speaks WebSocket with."""

import asyncio
import json
import sys
from pathlib import Path

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
