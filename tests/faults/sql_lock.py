"""Holds every lock of a SQLite database in WAL mode.

Says `locked` once it has them, and ends when its standard input is closed. The locks are bytes of
the shared-memory file (https://sqlite.org/walformat.html, "WAL Locks"): 120 is for writers, 121
for checkpoints, 122 for recovery, and readers share one of 123 to 127.
"""

import fcntl
import sys
from pathlib import Path
from typing import Final

from shared.command_line import command_line

LOCKS: Final = range(120, 128)


def main() -> None:
    """Take the lock and wait; ending the process releases it."""
    parser = command_line("tests.faults.sql_lock", __doc__)
    parser.add_argument("file", metavar="FILE", help="the database; it must be open elsewhere")
    with Path(f"{parser.parse_args().file}-shm").open("r+b") as opened:
        for lock in LOCKS:
            fcntl.lockf(opened, fcntl.LOCK_EX, 1, lock)
        sys.stdout.write("locked\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
