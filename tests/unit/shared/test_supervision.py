"""The states of processes, from the supervisor to its gateways."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared import supervision
from shared.supervision import ProcessState, SupervisionFile, path_in, read_supervision

STATES = [ProcessState(name="redis", waits_for="it rains"), ProcessState(name="gateway-1", pid=7)]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A folder of data."""
    (tmp_path / "run").mkdir()
    return tmp_path


def read_by_child(data_dir: Path) -> str:
    """What a child of this process reads."""
    program = (
        "import sys; from pathlib import Path; from shared.supervision import read_supervision;"
        " print(read_supervision(Path(sys.argv[1])))"
    )
    words = [sys.executable, "-c", program, str(data_dir)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_child_reads_the_latest_states(data_dir: Path) -> None:
    """A child of the supervisor reads what it wrote last, whether that is longer or shorter."""
    file = SupervisionFile(data_dir, 2)
    long = [ProcessState(name="redis", ending="x" * 2000), STATES[1]]
    for states in (STATES, long, STATES):
        file.write(states)
        assert read_by_child(data_dir) == str(states)
    file.remove()
    assert read_by_child(data_dir) == "None"


def test_a_state_needs_no_more_space(data_dir: Path) -> None:
    """The file has its size before the first state, so that a full disk is no obstacle."""
    file = SupervisionFile(data_dir, 2)
    size = path_in(data_dir).stat().st_size
    for _ in range(3):
        file.write(STATES)
        assert path_in(data_dir).stat().st_size == size
    file.remove()


def test_what_another_supervisor_left_is_not_shown(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of a supervisor that is not our parent, or of another format, counts for nothing."""
    file = SupervisionFile(data_dir, 2)
    file.write(STATES)
    assert read_supervision(data_dir) is None  # written by this process, not by its parent
    monkeypatch.setattr(os, "getppid", os.getpid)
    assert read_supervision(data_dir) == STATES
    monkeypatch.setattr(supervision, "FORMAT", 2)
    assert read_supervision(data_dir) is None
    file.remove()
