"""A new kind of event: whoever follows the recipe has all of it, and no other build breaks."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import msgpack
import pytest

from gateway.protocols.announcements import announcements
from shared.codec import decode
from shared.model.events import Unknown
from tests.faults.sources import changed_sources
from tests.integration.new_kind.topic import ENTRY, STATE
from tests.support.waiting import HANGS_AFTER

NOTE = "There is another topic"


@pytest.fixture(scope="module")
async def story(tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401 - decoded JSON
    """What became of the made-up kind in sources that were changed as the recipe says."""
    folder: Path = tmp_path_factory.mktemp("topic")
    with changed_sources((*ENTRY, *STATE)) as root:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.integration.new_kind.story", str(folder)),
            cwd=root,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(HANGS_AFTER):
                said, errors = await process.communicate()
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)  # its server too
            raise
    assert process.returncode == 0, errors.decode()
    return json.loads(said.splitlines()[-1])


def test_broker_and_gateways_know_it(story: Any) -> None:  # noqa: ANN401
    """Its effect is in the room's record, and in the room as a gateway reads and follows it."""
    assert story["record"] == {"topic": "fish", "topic_seq": "1"}
    assert story["rooms"] == [["fish", 1]] * 3


def test_sql_has_it(story: Any) -> None:  # noqa: ANN401
    """SQL stores it, gives it back as it was, and a room that was quiet is opened with it."""
    assert story["rows"] == [[1, "topic", "7", "fish"]]
    assert story["sql"] == ["fish", 1]
    assert story["read_back"]
    assert story["opened"] == ["fish", 1]


def test_clients_are_told(story: Any) -> None:  # noqa: ANN401
    """Members hear of it, in all formats, with a line for people; and so do users of a chat."""
    data = {"room": "general", "seq": 1, "prev": 0, "by": 7, "text": "fish"}
    told = {"event": "topicChanged", "room": "general", "data": data}
    assert story["received"] == told
    frame, note = map(json.loads, story["frames"]["json"])
    assert (frame, note["event"], note["data"]["content"]) == (told, "notification", NOTE)
    assert list(frame["data"]) == list(data)
    assert msgpack.unpackb(bytes.fromhex(story["frames"]["msgpack"][0])) == told
    packet = '42["topicChanged",{"room":"general","seq":1,"prev":0,"by":7,"text":"fish"}]'
    assert story["frames"]["socket.io"][0] == packet
    in_chat = json.loads(story["in_chat"]["json"][0])
    chat = in_chat["chatId"]
    assert in_chat["data"] == {"chatId": chat, "seq": 1, "prev": 0, "by": 7, "text": "birds"}
    packet = f'42["topicChanged",{{"chatId":{chat},"seq":1,"prev":0,"by":7,"text":"birds"}}]'
    assert story["in_chat"]["socket.io"][0] == packet


def test_a_dead_letter_of_it_is_put_back(story: Any) -> None:  # noqa: ANN401
    """What SQL refused is put back at its place, and undoes nothing that happened after it."""
    alone, overtaken = story["dead_letters"]
    assert alone == [["void"], ["", 0], True, ["topic"], ["refused", 1]]
    voids, between, put_back, kinds, after = overtaken
    assert (voids, between) == (["topic", "void", "topic"], ["birds", 3])
    assert (put_back, kinds, after) == (True, ["topic"] * 3, ["birds", 3])


def test_a_build_that_does_not_know_it(story: Any) -> None:  # noqa: ANN401
    """This build reads that something happened at its place, and tells clients just that."""
    event = decode(bytes.fromhex(story["written"]))
    assert event.body == Unknown("topic")
    [told] = announcements(event, "general")
    assert (told.event, told.data.seq, told.data.prev) == ("skipped", 1, 0)
