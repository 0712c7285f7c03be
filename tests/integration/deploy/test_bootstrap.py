"""Setting up `.venv`, with the script alone in an otherwise empty repository."""

import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.waiting import HANGS_AFTER

SCRIPT = Path(__file__).resolve().parents[3] / "deploy" / "bootstrap.py"
# The machine's Python, as that of this repository's own .venv may be all that tests run with.
PYTHON = str(Path(sys.base_prefix) / "bin" / "python3")
SHOW_PREFIX = ("-c", "import sys; print(sys.prefix)")


class Repository:
    """A folder with the script and with requirements that nothing needs to be fetched for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.venv = folder / ".venv"
        (folder / "deploy").mkdir()
        (folder / "requirements").mkdir()
        shutil.copy(SCRIPT, folder / "deploy")
        self.require("")

    def require(self, text: str) -> None:
        """Set what the requirements are."""
        (self.folder / "requirements" / "runtime.txt").write_text(f"# pinned\n{text}")

    def stamps(self) -> dict[Path, int]:
        """When each file of `.venv` was changed last."""
        return {path: path.stat().st_mtime_ns for path in self.venv.rglob("*")}

    def run(self, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Set up and run a command in `.venv`."""
        return subprocess.run(
            [PYTHON, "deploy/bootstrap.py", "runtime", *command],
            cwd=self.folder,
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
        )


class FirstCall(NamedTuple):
    """What it was made in, and what came of it."""

    repository: Repository
    done: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def first_call(tmp_path_factory: pytest.TempPathFactory) -> FirstCall:
    """The first call in a fresh repository, by a user with no home to keep a cache in."""
    repository = Repository(tmp_path_factory.mktemp("repository"))
    return FirstCall(repository, repository.run(*SHOW_PREFIX, HOME="/no/such/home"))


@pytest.fixture
def set_up(first_call: FirstCall) -> Repository:
    """A repository whose `.venv` is set up, for tests that leave it so."""
    assert first_call.done.returncode == 0
    return first_call.repository


@pytest.fixture
def fresh(tmp_path: Path) -> Repository:
    """A repository that nothing was done in yet."""
    return Repository(tmp_path)


def test_a_fresh_repository_is_set_up(first_call: FirstCall) -> None:
    """The first call makes `.venv`, tells what it does, and runs the command with its Python.

    Where the user has no home to keep a cache in, it does without, and without complaints.
    """
    done = first_call.done
    assert (done.returncode, done.stdout.strip()) == (0, str(first_call.repository.venv))
    assert "making .venv with Python 3." in done.stderr
    assert "installing what requirements/runtime.txt pins" in done.stderr
    assert "WARNING" not in done.stderr
    assert "cache" not in done.stderr


def test_the_second_call_costs_nothing(set_up: Repository) -> None:
    """What is set up is not set up again: not a word, and nothing in `.venv` is touched."""
    before = set_up.stamps()
    done = set_up.run(*SHOW_PREFIX)
    assert set_up.stamps() == before
    assert (done.stdout.strip(), done.stderr) == (str(set_up.venv), "")


def test_other_requirements_are_installed(set_up: Repository) -> None:
    """When the pinned packages change, they are installed again into the same `.venv`."""
    set_up.require("# changed\n")
    assert "installing what" in (done := set_up.run()).stderr
    assert "making .venv" not in done.stderr


def test_half_a_venv_is_made_anew(fresh: Repository) -> None:
    """A `.venv` whose making was interrupted is not taken for a whole one."""
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", fresh.venv], check=True)
    done = fresh.run(*SHOW_PREFIX)
    assert (done.returncode, done.stdout.strip()) == (0, str(fresh.venv))
    assert (fresh.venv / "bin" / "pip").exists()


def test_an_interrupted_setup_is_taken_up_again(fresh: Repository) -> None:
    """Ctrl-C during the setup ends it with one line, and the next call completes it."""
    setup = subprocess.Popen(
        [PYTHON, "deploy/bootstrap.py", "runtime"],
        cwd=fresh.folder,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell lets what it runs in the background ignore it, and so would all that we start.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  no threads
    )
    assert setup.stderr is not None
    assert "making .venv" in setup.stderr.readline()
    os.killpg(setup.pid, signal.SIGINT)  # as the terminal does
    _, told = setup.communicate(timeout=HANGS_AFTER)
    assert setup.returncode == 130
    assert told.splitlines()[-1] == "setup interrupted: run the same command again to go on"
    assert "bootstrap.py" not in told
    assert fresh.run(*SHOW_PREFIX).stdout.strip() == str(fresh.venv)


def test_a_failed_installation_is_told_and_repeated(set_up: Repository) -> None:
    """What pip says is shown with a sentence on what to do, and nothing runs until it succeeds."""
    set_up.require("no-such-package==1.0 --hash=sha256:" + "0" * 64 + "\n")
    for _ in range(2):
        done = set_up.run(*SHOW_PREFIX, PIP_NO_INDEX="1")
        assert (done.returncode, done.stdout) == (1, "")
        assert "No matching distribution found for no-such-package==1.0" in done.stderr
        assert "pip could not install requirements/runtime.txt" in done.stderr.splitlines()[-1]
    set_up.require("")
    assert set_up.run(*SHOW_PREFIX).returncode == 0


OLD = ("sys.version_info = (3, 9, 1)", "install one, or name it with PYTHON=.")
INCOMPLETE = ("sys.path.clear()", "incomplete: install your system's python3-venv package.")


@pytest.mark.parametrize(("lie", "remedy"), [OLD, INCOMPLETE], ids=["old", "incomplete"])
def test_what_python_lacks_is_told(fresh: Repository, lie: str, remedy: str) -> None:
    """An old Python, or one without all of venv, is told in one sentence and changes nothing."""
    program = (
        "import __future__, argparse, contextlib, fcntl, gettext, hashlib, importlib.util, os\n"
        "import pathlib, pkgutil\n"
        "import runpy, sys, time, typing, collections.abc\n"
        "import subprocess\n"
        f"{lie}\n"
        "runpy.run_path('deploy/bootstrap.py', run_name='__main__')"
    )
    done = subprocess.run(
        [PYTHON, "-c", program, "runtime"],
        cwd=fresh.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(remedy)
    assert not fresh.venv.exists()
