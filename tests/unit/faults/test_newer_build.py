"""The made-up newer build of `make chaos-formats`."""

import subprocess
import sys

import pytest

from shared.codec import CodecError, decode
from shared.model.events import Event
from shared.model.log_events import HistoryCleared
from tests.faults.newer_build import NEWER_BUILD, NEWER_FORMAT, OLDER_FORMAT
from tests.faults.sources import changed_sources

EVENT = Event(OLDER_FORMAT, 7, 1, 2, 3, 4, HistoryCleared("ann"))

ASK = """
import sys
from shared.codec import decode, encode
from shared.model.events import Event
from shared.model.log_events import HistoryCleared
for number in sys.argv[1:]:
    event = Event(int(number), 7, 1, 2, 3, 4, HistoryCleared("ann"))
    assert decode(encode(event)) == event
    print(encode(event).hex())
"""


def test_this_build_cannot_read_the_newer_format() -> None:
    """The newer build reads and writes both formats, and this one can read its own only."""
    numbers = (str(OLDER_FORMAT), str(NEWER_FORMAT))
    with changed_sources(NEWER_BUILD) as root:
        said = subprocess.run(
            [sys.executable, "-c", ASK, *numbers],
            cwd=root,
            capture_output=True,
            check=True,
            text=True,
        )
    older, newer = map(bytes.fromhex, said.stdout.split())
    assert decode(older) == EVENT
    with pytest.raises(CodecError):
        decode(newer)
