"""The timer of an Engine.IO session, on the event loop that gateways run on."""

import asyncio

import uvloop

from gateway.endpoints.socketio.engine_session import EngineSession
from gateway.protocols.engineio.errors import Request
from gateway.protocols.engineio.settings import EngineSettings
from tests.conformance.echo import EngineEcho


def test_a_ping_that_is_due_at_once() -> None:
    """A session is flushed twice in the millisecond in which its ping is due, and sends it then."""

    async def until_pinged() -> int:
        request, settings = Request("GET", {}), EngineSettings(ping_interval=0)
        session = EngineSession(request, "sid", settings, EngineEcho(), lambda _: None)
        session.flush()
        session.flush()
        async with asyncio.timeout(30):
            while not session.engine.pings:  # noqa: ASYNC110 - the protocol tells nobody of a ping
                await asyncio.sleep(0)
        return session.engine.pings

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(until_pinged()) == 1
