"""The identifiers that a source file defines or uses, each with its line."""

import ast
import re
from collections.abc import Iterator
from typing import Final

TOKEN: Final = re.compile(
    r"""(?P<skipped>//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
    r"""|(?P<template>`(?:\\.|[^`\\])*`)"""
    r"""|(?P<name>[A-Za-z_$][\w$]*)""",
    re.DOTALL,
)
"""A comment or a string, a template, or an identifier of JavaScript; what comes first counts."""

EXPRESSION: Final = re.compile(r"\$\{([^}]*)\}")


def python_identifiers(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and name of each class, function, argument, attribute, variable and import."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.lineno, node.name
            case ast.Name():
                yield node.lineno, node.id
            case ast.Attribute():
                yield node.end_lineno or node.lineno, node.attr
            case ast.arg() | ast.keyword() if node.arg is not None:
                yield node.lineno, node.arg
            case ast.ImportFrom() if node.module is not None:
                yield from ((node.lineno, part) for part in node.module.split("."))
            case ast.alias():
                yield from ((node.lineno, part) for part in node.name.split("."))
                if node.asname is not None:
                    yield node.lineno, node.asname
            case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar() if node.name is not None:
                yield node.lineno, node.name
            case _:
                pass


def javascript_identifiers(text: str, line: int = 1) -> Iterator[tuple[int, str]]:
    """Yield line and name of each identifier outside of comments and strings.

    Args:
        text: a module, or an expression in a template.
        line: the number of its first line.
    """
    for token in TOKEN.finditer(text):
        at = line + text.count("\n", 0, token.start())
        if token["name"]:
            yield at, token["name"]
        elif template := token["template"]:
            for expression in EXPRESSION.finditer(template):
                before = template.count("\n", 0, expression.start())
                yield from javascript_identifiers(expression[1], at + before)
