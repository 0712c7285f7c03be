"""What a test has started ends with the test's own process."""

import asyncio
import sys

import pytest

from tests.support.orphans import end_with_parent
from tests.support.waiting import HANGS_AFTER, until_gone

STARTS_ANOTHER = """
import subprocess, sys, time
from tests.support.orphans import end_with_parent
words = [sys.executable, "-c", "import time; time.sleep(3600)"]
print(subprocess.Popen(words, preexec_fn=end_with_parent).pid, flush=True)
time.sleep(3600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this signal")
async def test_who_is_killed_leaves_nothing_behind() -> None:
    """A process that a killed one has started ends as well."""
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STARTS_ANOTHER),
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=end_with_parent,
    )
    assert parent.stdout is not None
    async with asyncio.timeout(HANGS_AFTER):
        child = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    await until_gone(child)
