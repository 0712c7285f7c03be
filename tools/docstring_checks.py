"""Checks of docstrings: those that open as a question, and arguments they say nothing of.

A docstring opens with what the thing is or does, so that a reader who looks for it finds it.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

QUESTION: Final = re.compile(r"(What|How|Where|Who|When|Whether|Which|Why|Whom|Whose)\b")

ENTRY: Final = re.compile(
    r"^ {4}\*{0,2}(?P<name>\w+)(?: \([^)]*\))?: *(?P<text>.*(?:\n {5,}.*)*)", re.MULTILINE
)
"""An argument in the section `Args:`, with the lines that go on about it."""

ARGUMENTS: Final = re.compile(r"^Args:\n(?P<entries>(?: +.*\n?|\n)*)", re.MULTILINE)

FILLERS: Final = frozenset(
    {"a", "an", "given", "it", "its", "one", "that", "the", "these", "this", "those", "to", "of"}
    | {"what", "which", "who", "whom", "whose", "where", "when", "how", "use", "used"}
)
"""Words that tell a reader nothing of an argument by themselves."""

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and text of each docstring of a module."""
    for node in ast.walk(tree):
        if isinstance(node, Documented) and (text := ast.get_docstring(node)):
            yield node.body[0].lineno, text


def opens_as_question(text: str) -> bool:
    """Return whether the first word of a docstring is a question word."""
    return QUESTION.match(text) is not None


def empty_arguments(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines in `Args:` that add nothing to the argument's name.

    The first of each pair counts lines from that on which the docstring begins.
    """
    for section in ARGUMENTS.finditer(text):
        for entry in ENTRY.finditer(section["entries"]):
            name = entry["name"].lower()
            said = set(re.findall(r"\w+", entry["text"].lower())) - FILLERS
            if said <= {name, *name.split("_")}:
                begin = section.start("entries") + entry.start()
                yield text.count("\n", 0, begin), entry[0].strip()
