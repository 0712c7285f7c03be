"""The guides as steps: what a page says, and the code below it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from tests.support.process import ROOT

GET_STARTED = ROOT / "docs" / "get-started"
HOW_TO = ROOT / "docs" / "how-to"
EXAMPLES = ROOT / "examples"

NAMED_FILE = re.compile(r"[Ss]ave this[^`]*`([\w.-]+)`")


@dataclass(frozen=True)
class Step:
    """A block of code, and the text between it and the block before.

    Attributes:
        text: What the page says above the block, in Markdown.
        language: What the block is in, such as `sh`.
        code: The block.
    """

    text: str
    language: str
    code: str

    @property
    def file(self) -> str | None:
        """The name to save the block under, or None for one that is no file."""
        found = NAMED_FILE.search(self.text)
        return found[1] if found else None


def steps(page: Path) -> Iterator[Step]:
    """Yield the steps of a page in their order."""
    text: list[str] = []
    for token in MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8")):
        if token.type == "inline":
            text.append(token.content)
        elif token.type == "fence":
            yield Step("\n".join(text), token.info.strip(), token.content)
            text.clear()


def guides(folder: Path) -> list[str]:
    """Return the names of the guides in a folder of `docs`, without its index."""
    return sorted(page.stem for page in folder.glob("*.md") if page.stem != "index")


def examples() -> list[str]:
    """Return the names of the folders in `examples`."""
    return sorted(folder.name for folder in EXAMPLES.iterdir() if folder.is_dir())
