"""A checker for the repository's Markdown pages: their links, and the code that they show.

A link to a file must lead to a file, and to a heading of it where it names one. A path of this
repository in a code span, such as `shared/errors.py`, must exist, and so must a page that a source
file names. A block of Python, JavaScript, JSON or shell must parse. Links to other sites are not
followed: there may be no network.
Each problem is one line on standard error, and the exit code is 1.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from shared.command_line import command_line

SKIPPED_FOLDERS: Final = frozenset({"node_modules", "dist", "build", "__pycache__"})
PARSER: Final = MarkdownIt("commonmark").enable("table")
SOURCE_SUFFIXES: Final = frozenset({".py", ".js", ".ts", ".lua"})
SOURCE_PATH: Final = re.compile(
    r"(?:gateway|persister|shared|deploy|clients|tools|tests|docs|requirements|examples)/[\w./-]*"
)
NAMED_PAGE: Final = re.compile(r"(?<![\w./-])docs/[\w/-]+\.md")
HTML_TARGETS: Final = re.compile(r'\b(?:src|href|srcset)="([^"]+)"')


@dataclass(frozen=True)
class Problem:
    """A mistake on a page."""

    page: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


def main(folder: Path) -> int:
    """Check all pages below `folder` and return the exit code."""
    problems = [problem for page in pages(folder) for problem in check_page(page, folder)]
    for source in files(folder, SOURCE_SUFFIXES):
        problems += check_source(source, folder)
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return 1 if problems else 0


def pages(folder: Path) -> Iterator[Path]:
    """Yield the Markdown files below `folder`, without those that tools made."""
    return files(folder, frozenset({".md"}))


def files(folder: Path, suffixes: frozenset[str]) -> Iterator[Path]:
    """Yield the files below `folder` that end in a suffix, without those that tools made."""
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in SKIPPED_FOLDERS and not name.startswith(".")
        )
        found = (Path(where, name) for name in sorted(names))
        yield from (file for file in found if file.suffix in suffixes)


def check_source(source: Path, folder: Path) -> Iterator[Problem]:
    """Yield the pages of `docs` that a source file names and that do not exist in `folder`."""
    for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), start=1):
        for name in NAMED_PAGE.findall(line):
            if not (folder / name).exists():
                yield Problem(source, number, f"{name}: there is no such page")


def check_page(page: Path, folder: Path) -> Iterator[Problem]:
    """Yield what is wrong with a page's links, code blocks and paths in `folder`."""
    line = 1
    for token in PARSER.parse(page.read_text(encoding="utf-8")):
        if token.map:
            line = token.map[0] + 1
        if token.type == "fence":
            if (wrong := code_problem(token.info.split(" ")[0].strip(), token.content)) is not None:
                yield Problem(page, line, wrong)
            continue
        for path in named_paths(token):
            if not (folder / path).exists():
                yield Problem(page, line, f"{path}: there is no such file")
        for target in targets(token):
            if (wrong := link_problem(page, target)) is not None:
                yield Problem(page, line, wrong)


def targets(token: Token) -> Iterator[str]:
    """Yield what a token links to or shows: links, images, and attributes of HTML."""
    for part in (token, *(token.children or ())):
        if part.type in {"html_block", "html_inline"}:
            yield from HTML_TARGETS.findall(part.content)
        for name in ("href", "src"):
            if (value := part.attrs.get(name)) is not None:
                yield str(value)


def named_paths(token: Token) -> Iterator[str]:
    """Yield the paths of this repository that stand in a token's code spans."""
    for part in token.children or ():
        if part.type == "code_inline" and SOURCE_PATH.fullmatch(part.content):
            yield part.content


def link_problem(page: Path, target: str) -> str | None:
    """Return what is wrong with a page's link, or None for one that leads somewhere."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return None
    file = (page.parent / unquote(parts.path)).resolve() if parts.path else page.resolve()
    if not file.exists():
        return f"link to {target}: there is no such file"
    if not parts.fragment or file.suffix != ".md":
        return None
    if unquote(parts.fragment) not in anchors(file):
        return f"link to {target}: that page has no such heading"
    return None


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the names of a page's headings in links, as code hosts make them."""
    found: list[str] = []
    tokens = PARSER.parse(page.read_text(encoding="utf-8"))
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            text = "".join(part.content for part in inline.children or ())
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return frozenset(found)


def code_problem(language: str, code: str) -> str | None:
    """Return why a block does not parse as `language`, or None: it does, or nobody can tell."""
    if not language:
        return "a code block names no language; write text where it is none"
    check = CHECKS.get(language)
    return None if check is None else check(code)


def python_problem(code: str) -> str | None:
    """Return the first syntax error of Python code; `await` may stand outside of functions."""
    try:
        compile(code, "block", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return f"Python: {error}"
    return None


def json_problem(code: str) -> str | None:
    """Return what is wrong with a JSON document, or with lines that are a document each."""
    try:
        json.loads(code)
    except ValueError as error:
        try:
            for line in filter(str.strip, code.splitlines()):
                json.loads(line)
        except ValueError:
            return f"JSON: {error}"
    return None


def shell_problem(code: str) -> str | None:
    """Return what Bash says of the syntax of a block; nothing of it is run."""
    return complaint("shell", ["bash", "-n"], code, ".sh")


def javascript_problem(code: str) -> str | None:
    """Return what Node says of the syntax of a module; None where there is no Node."""
    node = shutil.which("node")
    return None if node is None else complaint("JavaScript", [node, "--check"], code, ".mjs")


def complaint(language: str, command: list[str], code: str, suffix: str) -> str | None:
    """Return what a program says of a file with this code, or None where it is content."""
    with tempfile.NamedTemporaryFile("w", suffix=suffix, encoding="utf-8") as file:
        file.write(code)
        file.flush()
        done = subprocess.run(  # noqa: S603  it only parses a page of this repository
            [*command, file.name], capture_output=True, text=True, check=False
        )
        said = done.stderr.replace(file.name, "line ").strip()
    lines = [line for line in said.splitlines() if "rror" in line] or [said]
    return None if done.returncode == 0 else f"{language}: {lines[0]}"


CHECKS: Final[dict[str, Callable[[str], str | None]]] = {
    "python": python_problem,
    "json": json_problem,
    "sh": shell_problem,
    "js": javascript_problem,
}


if __name__ == "__main__":
    parser = command_line("tools.check_documents", __doc__)
    parser.add_argument(
        "folder",
        metavar="FOLDER",
        nargs="?",
        type=Path,
        default=Path(),
        help="this one if none",
    )
    sys.exit(main(parser.parse_args().folder))
