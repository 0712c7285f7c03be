"""The package of the machine's distribution that a program belongs to.

A distribution fixes the version that it ships, also after its makers have ended it, and under the
same number. So a program of one of its packages is judged by the distribution, not by the number.
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from deploy.servers.builds import ask

# What each package manager is asked, and the name of the package in its answer.
MANAGERS: Final[Mapping[tuple[str, ...], Callable[[str], str]]] = {
    ("dpkg-query", "-S"): lambda said: said.partition(":")[0],  # haproxy: /usr/sbin/haproxy
    ("rpm", "-qf", "--queryformat", "%{NAME}\n"): lambda said: said,
    ("apk", "info", "-q", "--who-owns"): lambda said: said,
    ("pacman", "-Qqo"): lambda said: said,
}


def owning_package(program: str) -> str | None:
    """Return the distribution's package that a program belongs to; None if it is in none.

    A link is followed, as packages own what it points to, and is asked for by itself, too.
    """
    for command, package in MANAGERS.items():
        if shutil.which(command[0]) is None:
            continue
        for path in dict.fromkeys((program, str(Path(program).resolve()))):
            try:
                said = ask(*command, path)
            except OSError:
                continue
            if said.strip():
                return package(said.splitlines()[0]).strip()
    return None
