"""Texts for readers, taken from the docstrings of the code."""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import griffe


class Undescribed(Exception):
    """Something that the reference has to describe has no docstring."""


class Described(NamedTuple):
    """Text of the docstring of a class, in parts.

    Attributes:
        text: its first paragraph, on one line.
        more: the paragraphs after it, on one line.
        fields: the text of each field that its `Attributes:` name.
    """

    text: str
    more: str
    fields: Mapping[str, str]


@cache
def constants(module: str) -> Mapping[str, str]:
    """Return the text of each constant of a module: the docstring below it, on one line.

    Raises:
        Undescribed: a constant has none.
    """
    members = _load(module).members.items()
    attributes = {name: each for name, each in members if isinstance(each, griffe.Attribute)}
    return {name: _below(f"{module}.{name}", each) for name, each in attributes.items()}


@cache
def fields_below(kind: type) -> Mapping[str, str]:
    """Return the text of each field of a class: the docstring below it, on one line.

    Raises:
        Undescribed: a field has none.
    """
    members = _load(kind.__module__)[kind.__name__].members
    return {
        name: _below(f"{kind.__qualname__}.{name}", member)
        for name, member in members.items()
        if isinstance(member, griffe.Attribute) and "property" not in member.labels
    }


@cache
def described(kind: type) -> Described:
    """Return what the docstrings of a class and of those that it extends say.

    Raises:
        Undescribed: it has none of its own.
    """
    own = _own(kind)
    if own is None or not own.text:
        raise Undescribed(f"{kind.__qualname__} has no docstring")
    fields: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        if each.__module__.startswith(("shared.", "gateway.", "deploy.")) and (found := _own(each)):
            fields |= found.fields
    return Described(own.text, own.more, fields)


@cache
def function(module: str, name: str) -> str:
    """Return the first paragraph of a function's docstring, on one line.

    Raises:
        Undescribed: it has none.
    """
    docstring = _load(module)[name].docstring
    if docstring is None:
        raise Undescribed(f"{module}.{name} has no docstring")
    return _line(docstring.value.split("\n\n")[0])


@cache
def _load(module: str) -> griffe.Module:
    loaded = griffe.load(module, try_relative_path=False)
    assert isinstance(loaded, griffe.Module)  # noqa: S101 - a module's name was asked for
    return loaded


@cache
def _own(kind: type) -> Described | None:
    if (docstring := _load(kind.__module__)[kind.__name__].docstring) is None:
        return None
    paragraphs: list[str] = []
    fields: dict[str, str] = {}
    for section in docstring.parse("google", warnings=False):
        if isinstance(section, griffe.DocstringSectionText):
            paragraphs += section.value.split("\n\n")
        elif isinstance(section, griffe.DocstringSectionAttributes):
            fields |= {each.name: _line(each.description) for each in section.value}
    text, *more = map(_line, paragraphs)
    return Described(text, " ".join(more), fields)


def _below(name: str, member: griffe.Object) -> str:
    if member.docstring is None:
        raise Undescribed(f"{name} has no docstring below it")
    return _line(member.docstring.value)


def _line(text: str) -> str:
    return " ".join(text.split())
