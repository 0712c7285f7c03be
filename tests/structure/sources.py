"""The modules of a checkout and what each imports, read from their text and never imported."""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

PACKAGES: Final = ("shared", "gateway", "persister", "deploy", "clients")
"""The folders with code that a checkout may have; those it lacks are passed over."""


class Module(NamedTuple):
    """A Python file.

    Attributes:
        file: its path below the root, in the way of POSIX.
        lines: how many it has.
        imports: the modules of the same checkout that it imports, wherever and for whatever in it:
            inside of functions and for type checking too.
    """

    file: str
    lines: int
    imports: frozenset[str]

    @property
    def is_package(self) -> bool:
        """True for the `__init__.py` of a folder, which no count of modules includes."""
        return self.file.endswith("__init__.py")

    @property
    def folder(self) -> str:
        """The folder of the module."""
        return self.file.rpartition("/")[0]


Modules = Mapping[str, Module]
"""By their full names."""

Arrow = tuple[str, str]
"""Who imports, and who is imported."""


def read(root: Path) -> dict[str, Module]:
    """Read all modules of a checkout.

    Raises:
        FileNotFoundError: there is no package of ours.
        SyntaxError: a file is no Python.
    """
    files = sorted(file for name in PACKAGES for file in (root / name).rglob("*.py"))
    if not files:
        raise FileNotFoundError(f"no package of {', '.join(PACKAGES)} in {root}")
    names = {_name(file.relative_to(root)): file for file in files}
    return {
        name: _read(name, file, file.relative_to(root).as_posix(), names)
        for name, file in names.items()
    }


def arrows(modules: Modules) -> set[Arrow]:
    """All imports between modules."""
    return {(name, other) for name, module in modules.items() for other in module.imports}


def folders(modules: Modules) -> Counter[str]:
    """The number of modules directly in each folder, without `__init__.py`."""
    return Counter(module.folder for module in modules.values() if not module.is_package)


def _name(file: Path) -> str:
    parts = file.with_suffix("").parts
    if "src" in parts:  # a library with a folder of its own: names begin below it
        parts = parts[parts.index("src") + 1 :]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _read(name: str, file: Path, path: str, known: Mapping[str, Path]) -> Module:
    text = file.read_text("utf-8")
    package = name if file.stem == "__init__" else name.rpartition(".")[0]
    found = set(_imports(ast.parse(text, path), package, known))
    return Module(path, len(text.splitlines()), frozenset(found - {name}))


def _imports(tree: ast.Module, package: str, known: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, package)
            for alias in node.names:
                inner = f"{origin}.{alias.name}"
                if inner in known:
                    yield inner
                elif origin in known:
                    yield origin


def _origin(node: ast.ImportFrom, package: str) -> str:
    """The full name of the module after `from`."""
    if not node.level:
        return node.module or ""
    kept = package.split(".")[: 1 - node.level or None]
    return ".".join([*kept, *filter(None, [node.module])])
