"""The lowest priority, for processes that are to load a server and not the machine."""

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

LOWEST: Final = 19
AUTOGROUP: Final = Path("/proc/self/autogroup")


def take_lowest_priority() -> None:
    """Give this process what of the processors nobody else wants.

    Linux may share them between sessions first, and only within one by the processes' nice values
    (sched(7), autogroup). So the process gets a session of its own, with the lowest value, too.
    """
    with suppress(PermissionError):  # it leads one already
        os.setsid()
    os.setpriority(os.PRIO_PROCESS, 0, LOWEST)
    with suppress(OSError):  # a system that has none
        AUTOGROUP.write_text(str(LOWEST))


def spin() -> None:
    """Use a processor until standard input ends."""
    take_lowest_priority()
    threading.Thread(target=_end_with_input, daemon=True).start()
    while True:
        pass


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


def spinner() -> "subprocess.Popen[bytes]":
    """Start a process that spins; it ends with its standard input."""
    code = f"from {__name__} import spin; spin()"
    return subprocess.Popen((sys.executable, "-c", code), stdin=subprocess.PIPE)
