"""The command line of an entry point: `--help`, and one sentence for an invalid argument."""

import argparse
import textwrap
from typing import Final, NoReturn

SETTINGS: Final = "Settings are environment variables, listed in docs/reference/settings.md."
"""The end of the help of a program that reads settings."""

WIDTH: Final = 80
"""Columns of the help, however wide the terminal is."""


class CommandLine(argparse.ArgumentParser):
    """A parser of arguments that ends with one sentence and exit code 2 where they are wrong."""

    def error(self, message: str) -> NoReturn:
        """Print the error, and end the process with exit code 2."""
        self.exit(2, f"{self.prog}: {message} (--help lists the arguments)\n")


def command_line(module: str, document: str | None, epilog: str = "") -> CommandLine:
    """Make the parser of `python -m MODULE`.

    Args:
        module: its full name.
        document: its docstring, which becomes the description.
        epilog: text below the arguments, such as `SETTINGS`.
    """
    return CommandLine(
        prog=f"python -m {module}",
        description=_wrapped(document or ""),
        epilog=_wrapped(epilog),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _wrapped(text: str) -> str:
    """Fill each paragraph; leave those that are indented, as lists and examples are."""
    paragraphs = text.strip("\n").split("\n\n")
    return "\n\n".join(
        part if part.startswith(" ") else textwrap.fill(part, WIDTH) for part in paragraphs
    )
