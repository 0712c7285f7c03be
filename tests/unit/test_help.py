"""The command line of every program in this repository."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from shared.command_line import SETTINGS
from tests.support.process import ROOT
from tests.support.waiting import HANGS_AFTER

FOLDERS: Final = ("gateway", "persister", "deploy", "tools", "tests", "clients")

COMMANDS: Final = (
    *("dead-letter", "adopt", "new-identity"),
    *("revoke", "unrevoke", "revocations", "disconnect"),
)


def programs() -> Iterator[str]:
    """Every file that may be run: `__main__.py`, and what asks whether it is `__main__`."""
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            name = file.relative_to(ROOT)
            if "node_modules" not in name.parts and (name.stem == "__main__" or is_program(file)):
                yield str(name)


def is_program(file: Path) -> bool:
    """Whether a file holds `if __name__ == "__main__":`."""
    return any(
        isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"
        for node in ast.parse(file.read_text(encoding="utf-8")).body
    )


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program: a module of its package, or a file that is in none."""
    path = ROOT / program
    start: tuple[str, ...] = (program,)
    if (path.parent / "__init__.py").exists():
        outermost = path.parent
        while (outermost.parent / "__init__.py").exists():
            outermost = outermost.parent
        module = path.parent if path.stem == "__main__" else path.with_suffix("")
        start = ("-m", ".".join(module.relative_to(outermost.parent).parts))
    return subprocess.run(
        (sys.executable, *start, *arguments),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=HANGS_AFTER,
    )


PROGRAMS: Final = tuple(programs())


def test_all_programs_are_found() -> None:
    """What an operator starts is among the programs that these tests ask for help."""
    known = {"gateway/__main__.py", "persister/__main__.py", "deploy/cluster.py"}
    assert known | {"deploy/bootstrap.py", "deploy/audit.py"} <= set(PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_starts_nothing(program: str) -> None:
    """`--help` says what a program is and what it takes, and ends at once with exit code 0."""
    done = run(program, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    usage, _, rest = done.stdout.partition("\n\n")
    assert usage.startswith("usage: ")
    what_it_is = rest.partition("\n\n")[0]
    assert what_it_is.endswith("."), what_it_is


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_unknown_argument_is_refused(program: str) -> None:
    """An argument that a program does not have is one sentence, and exit code 2."""
    done = run(program, "--no-such-argument")
    assert (done.returncode, done.stdout) == (2, "")
    [sentence] = done.stderr.splitlines()
    assert "Traceback" not in sentence
    assert ": " in sentence


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_a_persister_have_help(command: str) -> None:
    """Each command of the persister says what it does, without a database."""
    done = run("persister/__main__.py", command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: python -m persister {command} ")
    assert run("persister/__main__.py", command, "--no-such-argument").returncode == 2


@pytest.mark.parametrize("program", ["gateway/__main__.py", "persister/__main__.py"])
def test_help_says_where_settings_are_described(program: str) -> None:
    """The help of a program that reads settings names the document that describes them."""
    shown = " ".join(run(program, "--help").stdout.split())
    assert SETTINGS in shown
    [document] = re.findall(r"\S+\.md", SETTINGS)
    assert (ROOT / document).exists()
