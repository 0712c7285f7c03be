"""A look at the disk before the embedded Redis starts.

Redis ends when it cannot write to its append-only file, as it must not answer for what it could not
keep. On a full disk each start would end at the first write. So it waits for space, which is found
by writing: numbers of free bytes know nothing of quotas, of space kept for root, or of a file
system that has become read-only.
"""

import os
import tempfile
from pathlib import Path
from typing import Final

NEEDED_BYTES: Final = 1024 * 1024
"""Bytes that have to be free: Redis runs for a while on them, and does not end at once."""

# What an interrupted rewrite of the append-only file leaves behind. It may be as large as all data.
UNFINISHED: Final = ("temp-*.aof", "temp-*.rdb")


def missing_space(data_dir: Path) -> str | None:
    """Return what has to change before Redis can run in its folder; None if nothing has.

    Redis must not run meanwhile: the files that it did not finish are removed first.
    """
    try:
        for pattern in UNFINISHED:
            for file in data_dir.glob(pattern):
                file.unlink(missing_ok=True)
        with tempfile.TemporaryFile(dir=data_dir) as trial:
            trial.write(os.urandom(NEEDED_BYTES))
            trial.flush()
            os.fsync(trial.fileno())
    except OSError as error:
        return f"{data_dir} can be written to, which fails now ({error.strerror})"
    return None
