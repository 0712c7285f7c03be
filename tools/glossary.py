"""The lists in `docs/glossary.md` of what is not to be written.

The section "Words not to use" holds a table, `| not this | but this | where |`. Its first column
has identifiers in backticks; `*` at the start or the end of one stands for anything. Backticks in
the third column that are a path of the repository limit the row to what is below it.

The section "Phrases not to use" is optional. Each line of its table or list has phrases in
backticks, in its first column or before its first colon.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

GLOSSARY: Final = Path("docs", "glossary.md")
WORDS: Final = "Words not to use"
PHRASES: Final = "Phrases not to use"

BACKTICKS: Final = re.compile(r"`([^`]+)`")
HEADING: Final = re.compile(r"#+ +(.*?) *#*")
RULE: Final = re.compile(r"\|[ :|-]+\|")


class GlossaryError(Exception):
    """A glossary that cannot be used; the text is one sentence."""


@dataclass(frozen=True)
class BannedWord:
    """A row of the table of words.

    Attributes:
        patterns: identifiers, with `*` at the start or the end for anything.
        instead: the text of the second column.
        folders: paths from the root of the repository that the row is limited to, if any.
    """

    patterns: tuple[str, ...]
    instead: str
    folders: tuple[Path, ...]

    def bans(self, name: str, file: Path) -> bool:
        """Return whether an identifier is not to be used in a file.

        Args:
            name: the identifier; underscores that only make it private do not count.
            file: its path from the root of the repository.
        """
        if self.folders and not any(file.is_relative_to(folder) for folder in self.folders):
            return False
        return any(
            fnmatchcase(spelling, pattern)
            for spelling in {name, name.strip("_")}
            for pattern in self.patterns
        )


@dataclass(frozen=True)
class Glossary:
    """The words and phrases that are not to be used."""

    words: tuple[BannedWord, ...]
    phrases: tuple[str, ...]

    @classmethod
    def read(cls, root: Path) -> "Glossary":
        """Read the glossary of a repository.

        Raises:
            GlossaryError: there is none, or it bans no word.
        """
        try:
            sections = dict(_sections((root / GLOSSARY).read_text(encoding="utf-8")))
        except OSError as error:
            raise GlossaryError(f"{GLOSSARY} cannot be read: {error.strerror}") from None
        words = tuple(_words(sections.get(WORDS, []), root))
        if not words:
            raise GlossaryError(f"{GLOSSARY} has no table with identifiers under '{WORDS}'")
        return cls(words, tuple(_phrases(sections.get(PHRASES, []))))


def _sections(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each heading with the lines below it."""
    title = ""
    lines: list[str] = []
    for line in text.splitlines():
        if heading := HEADING.fullmatch(line):
            yield title, lines
            title, lines = heading[1], []
        else:
            lines.append(line.strip())
    yield title, lines


def _rows(lines: list[str]) -> Iterator[list[str]]:
    """Yield the cells of each row of tables, without what stands above the rule."""
    for before, line in enumerate(lines[1:]):
        if line.startswith("|") and not RULE.fullmatch(line):
            above = lines[: before + 1]
            if any(RULE.fullmatch(other) for other in above):
                yield [cell.strip() for cell in line.strip("|").split("|")]


def _words(lines: list[str], root: Path) -> Iterator[BannedWord]:
    for cells in _rows(lines):
        patterns, instead, where = (*cells, "", "")[:3]
        if found := tuple(BACKTICKS.findall(patterns)):
            folders = (Path(path) for path in BACKTICKS.findall(where))
            limits = tuple(folder for folder in folders if (root / folder).exists())
            yield BannedWord(found, instead.replace("`", ""), limits)


def _phrases(lines: list[str]) -> Iterator[str]:
    for cells in _rows(lines):
        yield from BACKTICKS.findall(cells[0])
    for line in lines:
        if line.startswith(("- ", "* ")):
            yield from BACKTICKS.findall(line.partition(":")[0])
