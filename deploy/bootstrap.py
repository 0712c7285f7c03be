"""Set up `.venv` where it is missing or out of date, then run its Python.

    python3 deploy/bootstrap.py runtime -m deploy.cluster

It runs with any Python that a machine has. So it imports the standard library only, and has no
syntax that an old Python cannot parse: such a Python must get as far as the error about its age.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

OLDEST_PYTHON = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
# Written last. A folder without it comes from a setup that was interrupted.
MADE = VENV / ".made"
# The Python client is a library with a folder of its own, and runs from there. The path is relative
# so that a checkout whose .venv is a link to another's still imports its own client.
CLIENT_PATH = "../../../../clients/python/src\n"
REPORT_INTERVAL_SECONDS = 2.0  # seconds between two lines of progress


class SetupError(Exception):
    """The setup cannot go on; the text is one sentence."""


def main(group: str, command: list[str]) -> int:
    """Set up `.venv` for `group` and replace this process by `command`.

    Returns:
        The exit code if the setup fails, or if there is no command.
    """
    try:
        set_up(group)
    except SetupError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("setup interrupted: run the same command again to go on")
        return 130
    if command:
        os.execv(PYTHON, [str(PYTHON), *command])  # noqa: S606  our own Python, no shell
    return 0


class CommandLine(argparse.ArgumentParser):
    """A parser that ends the process with one sentence and exit code 2 for wrong arguments."""

    def error(self, message: str) -> NoReturn:
        """Print the error, and end the process with exit code 2."""
        self.exit(2, f"{self.prog}: {message} (--help lists the arguments)\n")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    groups = sorted(file.stem for file in (ROOT / "requirements").glob("*.txt"))
    parser = CommandLine(
        prog="deploy/bootstrap.py",
        description=(__doc__ or "").split("\n\nIt runs")[0],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("group", choices=groups, help="a file in requirements/, without its .txt")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="arguments for .venv's Python")
    return parser.parse_args()


def set_up(group: str) -> None:
    """Install into `.venv` the packages of `requirements/GROUP.txt`, if they are not there yet.

    Raises:
        SetupError: Python or one of its parts is missing, or pip fails.
    """
    requirements = ROOT / "requirements" / f"{group}.txt"
    stamp = VENV / f".{group}-installed"
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if up_to_date(stamp, digest):
        link_client()
        return
    lock = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)  # another `make` may be installing
    try:
        if not up_to_date(stamp, digest):
            if not (MADE.exists() and PYTHON.exists()):
                make_venv()
            install(requirements)
            stamp.write_text(digest)
        link_client()
    finally:
        os.close(lock)


def up_to_date(stamp: Path, digest: str) -> bool:
    """Return True if `stamp` says that the packages of `digest` were installed."""
    return PYTHON.exists() and stamp.exists() and stamp.read_text() == digest


def make_venv() -> None:
    """Create `.venv`.

    Raises:
        SetupError: Python is too old, or lacks the modules `venv` and `ensurepip`.
    """
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        raise SetupError(
            f"Parley needs Python 3.11 or newer, and {sys.executable} is {version}:"
            " install one, or name it with PYTHON=."
        )
    if find_spec("venv") is None or find_spec("ensurepip") is None:
        raise SetupError(
            f"The venv module of Python {version} is incomplete:"
            " install your system's python3-venv package."
        )
    say(f"making .venv with Python {version} ...")
    made = subprocess.run(  # noqa: S603  this very Python
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        sys.stderr.write(made.stdout)
        raise SetupError("The virtual environment .venv could not be made: see the lines above.")
    MADE.touch()


def install(requirements: Path) -> None:
    """Install the pinned packages of `requirements`, from wheels with the hashes given there.

    Raises:
        SetupError: pip failed; its last lines were printed.
    """
    progress = Progress(requirements)
    command = [
        str(PYTHON), "-I", "-m", "pip", "install", "--require-hashes", "--only-binary=:all:",
        "--disable-pip-version-check", "--no-input", "--progress-bar=off",
        "--no-warn-script-location", "--requirement", str(requirements),
    ]  # fmt: skip
    if not cache_is_usable():
        command.append("--no-cache-dir")
    pip = subprocess.Popen(  # noqa: S603  our own pip
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    )
    assert pip.stdout is not None  # noqa: S101  for the type checker: it is a pipe
    lines = []
    for line in pip.stdout:
        lines.append(line)
        progress.follow(line)
    if pip.wait() != 0:
        sys.stderr.write("".join(lines[-15:]))
        raise SetupError(
            f"pip could not install requirements/{requirements.name}, its last lines are above:"
            " correct the error that they name, then run the same command again."
        )
    progress.done()


def cache_is_usable() -> bool:
    """Return True if pip can write its cache; without it pip prints long warnings."""
    try:
        home = Path.home()
        folders = (home, home / ".cache", home / ".cache" / "pip")
        return home.exists() and all(
            folder.stat().st_uid == os.geteuid() and os.access(folder, os.W_OK)
            for folder in folders
            if folder.exists()
        )
    except (OSError, RuntimeError):  # no home folder, or one that cannot be read
        return False


def link_client() -> None:
    """Let the Python of `.venv` import `parley_chat` from `clients/python/src`."""
    for packages in VENV.glob("lib/python3.*/site-packages"):
        link = packages / "parley_chat.pth"
        if not link.exists() or link.read_text() != CLIENT_PATH:
            made = link.with_suffix(".new")
            made.write_text(CLIENT_PATH)
            made.replace(link)  # in one step, as another process may read it at this moment


class Progress:
    """Prints the progress of pip, from the lines that it writes."""

    def __init__(self, requirements: Path) -> None:
        pinned = [line for line in requirements.read_text().splitlines() if "==" in line]
        self._count = sum(not line.startswith((" ", "#")) for line in pinned)
        self._fetched = 0
        self._said_at = time.monotonic()
        self._started = self._said_at
        self._name = requirements.name
        say(f"installing what requirements/{self._name} pins into .venv ...")

    def follow(self, line: str) -> None:
        """Handle one line of pip."""
        word = line.split(" ", 1)[0]
        if word == "Ignoring":  # for another system or another Python
            self._count -= 1
        elif word in {"Collecting", "Requirement"}:
            self._fetched += 1
            if time.monotonic() - self._said_at > REPORT_INTERVAL_SECONDS:
                self._said_at = time.monotonic()
                say(f"  {self._fetched} of {self._count} packages fetched")
        elif word == "Installing":
            say(f"  {self._count} packages fetched, unpacking them ...")

    def done(self) -> None:
        """Print the number of packages and the time that the installation took."""
        took = time.monotonic() - self._started
        say(f"  {self._count} packages installed in {took:.0f} s")


def say(line: str) -> None:
    """Write a line to standard error."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    given = arguments()
    sys.exit(main(given.group, given.command))
