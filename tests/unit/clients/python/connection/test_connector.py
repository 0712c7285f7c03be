"""Opening connections to servers that are not ready for it."""

import http
from itertools import count

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from parley_chat.connection.connector import ConnectionPolicy, Connector
from parley_chat.errors import Refused


@pytest.mark.parametrize(("status", "passes"), [(429, True), (503, True), (403, False)])
async def test_a_handshake_that_is_refused(status: int, passes: bool) -> None:  # noqa: FBT001
    """Too much at once passes, as a server that leaves does; what is forbidden stays so."""
    attempts = count(1)

    async def greet(connection: ServerConnection) -> None:
        await connection.wait_closed()

    def refuse_first(connection: ServerConnection, _request: Request) -> Response | None:
        if next(attempts) == 1:
            return connection.respond(http.HTTPStatus(status), "")
        return None

    async with serve(greet, "127.0.0.1", 0, process_request=refuse_first) as server:
        (listening,) = server.sockets
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        connector = Connector([url], "chat.json", ConnectionPolicy(pause=0.01))
        if passes:
            await (await connector.first()).close()
        else:
            with pytest.raises(Refused):
                await connector.first()
