"""What is made from the code is what the code says now."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools import generate


def test_generated_files_are_current() -> None:
    """Every generated file in the repository is what the generator writes now."""
    assert generate.stale() == [], "run `make generate`"


def test_a_file_that_differs_is_written_again(tmp_path: Path) -> None:
    """A generated file that was edited is stale, and is written as it was."""
    assert sorted(generate.write(tmp_path)) == sorted(generate.FILES)
    assert generate.stale(tmp_path) == []
    path = next(iter(generate.FILES))
    edited = tmp_path / path
    whole = edited.read_text(encoding="utf-8")
    edited.write_text(whole.replace("4401", "4402"), encoding="utf-8")
    assert generate.stale(tmp_path) == [path]
    assert generate.write(tmp_path) == [path]
    assert edited.read_text(encoding="utf-8") == whole


@pytest.mark.parametrize(
    ("argument", "told"), [("--help", "usage: python -m tools.generate"), ("--check", "")]
)
def test_the_command(argument: str, told: str) -> None:
    """`--help` describes the command, and `--check` ends well where all files are current."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.generate", argument],
        capture_output=True,
        text=True,
        check=True,
        cwd=generate.ROOT,
    )
    assert done.stdout.startswith(told)
