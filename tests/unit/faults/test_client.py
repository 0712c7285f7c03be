"""The suite's own client, as far as it needs no cluster."""

import asyncio

import pytest

from tests.faults.client import Client
from tests.faults.history import History
from tests.faults.places import Place


async def test_a_send_that_is_given_up_is_not_waited_for() -> None:
    """What nobody sends any more, and nobody accepted, does not count as not durable yet."""
    place = Place("general", room="general")
    client = Client("ws://127.0.0.1:1", "ann", "json", [place], History())
    sending = asyncio.create_task(client.send(place))
    await asyncio.sleep(0)
    assert list(client.unsettled) == ["ann.1"]
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert not client.unsettled
