"""Common parts of generated documents: their version, their form, their header."""

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

PROJECT: Final = Path(__file__).parents[2] / "pyproject.toml"

VERSION: Final[str] = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["version"]
"""Version of the software, which documents name."""


def as_json(document: Any) -> str:  # noqa: ANN401 - whatever has a form in JSON
    """Return a document as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def header(sources: str) -> str:
    """Return the first lines of a generated page of Markdown.

    Args:
        sources: the code that the page is made from.
    """
    return f"<!-- Generated from {sources} by `make generate`; do not edit. -->\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(text) for text in line)} |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
