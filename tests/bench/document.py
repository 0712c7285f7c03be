"""Writes a result into a document, between marks."""

from pathlib import Path


def put(file: Path, name: str, text: str) -> None:
    """Write a text between the marks `<!-- NAME -->` and `<!-- end of NAME -->` of a document.

    A document without them, or one that does not exist, becomes the text.
    """
    first, last = f"<!-- {name} -->", f"<!-- end of {name} -->"
    old = file.read_text() if file.exists() else ""
    if first not in old or last not in old:
        file.write_text(text)
        return
    before, _, rest = old.partition(first)
    file.write_text(f"{before}{first}\n\n{text.strip()}\n\n{last}{rest.partition(last)[2]}")
