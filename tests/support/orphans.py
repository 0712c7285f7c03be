"""Ends what a test has started when the test's own process is killed from outside."""

import ctypes
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1
"""The option of `prctl(2)` for the signal that a process gets when its parent has ended."""

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with_parent() -> None:
    """Let this process be sent SIGTERM when the thread that started it ends; only on Linux.

    To be given as `preexec_fn` in the main thread: that of another thread may end before its
    process does.
    """
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
