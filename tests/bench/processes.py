"""CPU and memory of processes, from `/proc` (proc(5))."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu(pid: int) -> float:
    """Seconds of CPU a process has used, in user and kernel, with the children it waited for."""
    # The name, in brackets, may hold spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) * TICK


def resident(pid: int) -> int:
    """Bytes of memory that a process has and shares with nobody, swapped or not."""
    wanted = ("Private_Clean:", "Private_Dirty:", "Swap:")
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(wanted))


def children(pid: int) -> list[int]:
    """The pids of a process's children, of all its threads."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for one in lists for child in one.read_text().split()]


def cpu_by_role(processes: Mapping[str, Iterable[int]]) -> dict[str, float]:
    """Seconds of CPU, summed over the processes of each role."""
    return {role: sum(map(cpu, pids)) for role, pids in processes.items()}


def resident_by_role(processes: Mapping[str, Iterable[int]]) -> dict[str, int]:
    """Bytes of memory, summed over the processes of each role."""
    return {role: sum(map(resident, pids)) for role, pids in processes.items()}


def less(after: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    """The increase for each role."""
    return {role: after[role] - before[role] for role in after}
