"""A check of the words in code and documents.

It reports identifiers and phrases that docs/glossary.md tells us not to use, arguments in
docstrings of which nothing is said, and docstrings that open as a question, if there are too many.

Each finding is one line on standard output. Exit code 0 without findings, 1 with some, 2 where the
glossary cannot be used.
"""

import ast
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from shared.command_line import command_line
from tools.docstring_checks import docstrings, empty_arguments, opens_as_question
from tools.glossary import GLOSSARY, Glossary, GlossaryError
from tools.identifiers import javascript_identifiers, python_identifiers

SOURCES: Final = ("gateway", "persister", "shared", "deploy", "clients", "tools", "examples")
TESTS: Final = "tests"
DOCUMENTS: Final = ("docs", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")

JAVASCRIPT: Final = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx")
SKIPPED_FOLDERS: Final = frozenset({"node_modules", "dist", "build", "__pycache__"})

Finding = tuple[Path, int, str]
"""A file from the root of the repository, a line of it, and what is wrong there."""


class Checker:
    """The findings of a repository.

    Args:
        root: its folder.
        glossary: its lists of what is not to be written.
    """

    def __init__(self, root: Path, glossary: Glossary) -> None:
        self._root = root
        self._glossary = glossary
        self._phrases = [(phrase, pattern_of(phrase)) for phrase in glossary.phrases]

    def findings(self) -> Iterator[Finding]:
        """Yield everything that is wrong."""
        for folder in (*SOURCES, TESTS):
            for file in self._files(folder, (".py", *JAVASCRIPT)):
                yield from self._banned(file, [(1, file.name.split(".")[0])])
                check = self._python if file.suffix == ".py" else self._javascript
                yield from check(file, self._text(file), is_source=folder != TESTS)
        for name in (*DOCUMENTS, *SOURCES):
            for file in self._files(name, (".md", ".html")):
                if file != GLOSSARY:
                    yield from self._riddles(file, 1, self._text(file))

    def _python(self, file: Path, text: str, *, is_source: bool) -> Iterator[Finding]:
        try:
            tree = ast.parse(text)
        except SyntaxError as error:
            yield file, error.lineno or 1, f"no Python: {error.msg}"
            return
        yield from self._banned(file, python_identifiers(tree))
        for line, docstring in docstrings(tree):
            for below, said in empty_arguments(docstring):
                yield file, line + below, f"says nothing of the argument: {said}"
            if is_source and opens_as_question(docstring):
                first = docstring.splitlines()[0]
                yield file, line, f"opens as a question: {first}"
        for node in ast.walk(tree) if is_source else ():
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from self._riddles(file, node.lineno, node.value)

    def _javascript(self, file: Path, text: str, *, is_source: bool) -> Iterator[Finding]:
        yield from self._banned(file, javascript_identifiers(text))
        if is_source:
            yield from self._riddles(file, 1, text)

    def _banned(self, file: Path, identifiers: Iterable[tuple[int, str]]) -> Iterator[Finding]:
        lines: defaultdict[str, list[int]] = defaultdict(list)
        for line, name in identifiers:
            lines[name].append(line)
        for name, found in lines.items():
            for word in self._glossary.words:
                if word.bans(name, file):
                    problem = f"`{name}` is not a word of the glossary: use {word.instead}"
                    yield from ((file, line, problem) for line in found)

    def _riddles(self, file: Path, line: int, text: str) -> Iterator[Finding]:
        for phrase, pattern in self._phrases:
            for found in pattern.finditer(text):
                yield file, line + text.count("\n", 0, found.start()), f"says '{phrase}'"

    def _files(self, name: str, endings: tuple[str, ...]) -> Iterator[Path]:
        """Yield a file, or those below a folder that no tool made, from the root on."""
        if (self._root / name).is_file() and name.endswith(endings):
            yield Path(name)
        for where, folders, files in os.walk(self._root / name):
            folders[:] = sorted(
                one for one in folders if one not in SKIPPED_FOLDERS and not one.startswith(".")
            )
            for file in sorted(files):
                if file.endswith(endings):
                    yield Path(where, file).relative_to(self._root)

    def _text(self, file: Path) -> str:
        return (self._root / file).read_text(encoding="utf-8")


def pattern_of(phrase: str) -> re.Pattern[str]:
    """Return what finds a phrase: whole words, however they are spaced and capitalized."""
    words = r"\s+".join(map(re.escape, phrase.split()))
    return re.compile(rf"(?<!\w){words}(?!\w)", re.IGNORECASE)


def main() -> int:
    """Check a repository; return the exit code."""
    parser = command_line("tools.words", __doc__)
    parser.add_argument("--root", metavar="FOLDER", type=Path, default=Path(), help="not this one")
    root: Path = parser.parse_args().root
    try:
        found = sorted(set(Checker(root, Glossary.read(root)).findings()))
    except GlossaryError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for file, line, problem in found:
        sys.stdout.write(f"{file}:{line}: {problem}\n")
    if found:
        sys.stderr.write(
            f"{len(found)} findings; {GLOSSARY} has the words to use, and no docstring opens as a"
            " question\n"
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
