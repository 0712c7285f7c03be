"""Lines for the operator who runs a command."""

import sys

from shared.telemetry import escaped


def print_line(line: str) -> None:
    """Print a line on standard output, with control characters escaped."""
    sys.stdout.write(f"{escaped(line)}\n")
