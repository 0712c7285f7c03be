"""`python -m tools.generate`: write the files that are made from the code, or check them."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from shared.command_line import command_line
from tools import emoji_sequences, javascript_constants, python_constants
from tools.reference import asyncapi, openapi, protocol_page, settings_page

ROOT: Final = Path(__file__).parents[1]

FILES: Final[Mapping[str, Callable[[], str]]] = {
    "clients/python/src/parley_chat/constants.py": python_constants.module,
    "clients/javascript/src/constants.js": javascript_constants.module,
    "clients/javascript/src/constants.d.ts": javascript_constants.types,
    "shared/names/emoji_sequences.txt": emoji_sequences.table,
    "docs/reference/protocol.md": protocol_page.page,
    "docs/reference/settings.md": settings_page.page,
    "docs/reference/asyncapi.json": asyncapi.document,
    "docs/reference/openapi.json": openapi.document,
    "gateway/web/docs/openapi.json": openapi.document,
}
"""The generated files, by path, and what makes the text of each."""


def stale(root: Path = ROOT) -> list[str]:
    """List the generated files that are missing or are not what would be written now."""
    return [path for path, make in FILES.items() if _read(root / path) != make()]


def write(root: Path = ROOT) -> list[str]:
    """Write the generated files that are not up to date.

    Returns:
        Their paths.
    """
    written = stale(root)
    for path in written:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(FILES[path](), encoding="utf-8")
    return written


def main(arguments: list[str] | None = None) -> int:
    """Run the command; its exit code: 0, or 1 where `--check` found a file that is not current."""
    parser = command_line(
        "tools.generate", f"Write the files that are made from the code: {', '.join(FILES)}."
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 if a file is not current"
    )
    if parser.parse_args(arguments).check:
        found = stale()
        for path in found:
            sys.stderr.write(f"{path} is not current: run `make generate`\n")
        return 1 if found else 0
    for path in write():
        sys.stdout.write(f"wrote {path}\n")
    return 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
