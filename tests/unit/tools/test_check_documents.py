"""The checker of the Markdown pages, on small folders of them."""

import shutil
from pathlib import Path

import pytest

from tests.support.process import ROOT
from tools import check_documents

DOCS = "docs"
"""The folder of the pages; a name that is put together is not looked for in this file."""


def problems(folder: Path, **pages: str) -> list[str]:
    """Write pages into a folder and return what is wrong, as LINE: TEXT."""
    for name, text in pages.items():
        (folder / f"{name}.md").write_text(text)
    found = [
        bad
        for page in check_documents.pages(folder)
        for bad in check_documents.check_page(page, folder)
    ]
    return [f"{problem.page.name}:{problem.line}: {problem.text}" for problem in found]


def test_links_that_lead_somewhere(tmp_path: Path) -> None:
    """Links to pages, headings, files and other sites pass, in Markdown and in HTML."""
    (tmp_path / "picture.svg").touch()
    text = (
        "# How it *works*, in short\n\n## Same\n\n## Same\n\n## The `seq`\n\n"
        "[self](#how-it-works-in-short) [second](#same-1) [code](a.md#the-seq) [other](b.md)\n"
        '![p](picture.svg) <img src="picture.svg"> https://example.org [x](https://example.org/no)\n'
    )
    assert problems(tmp_path, a=text, b="# B\n") == []


@pytest.mark.parametrize(
    ("link", "wrong"),
    [
        ("[gone](gone.md)", "link to gone.md: there is no such file"),
        ("[gone](b.md#gone)", "link to b.md#gone: that page has no such heading"),
        ("![gone](gone.svg)", "link to gone.svg: there is no such file"),
        ('<img src="gone.svg">', "link to gone.svg: there is no such file"),
        ("| a |\n| --- |\n| [gone](gone.md) |", "link to gone.md: there is no such file"),
    ],
)
def test_links_that_lead_nowhere(tmp_path: Path, link: str, wrong: str) -> None:
    """A link, a picture and a heading that are not there are told with page and line."""
    [problem] = problems(tmp_path, a=f"# A\n\n{link}\n", b="# B\n")
    assert problem.startswith("a.md:")
    assert problem.endswith(wrong)


@pytest.mark.parametrize(
    ("language", "good", "bad"),
    [
        ("python", "async with a:\n    await b()", "def f(:"),
        ("json", '{"event": "reply"}\n{"event": "message"}', '{"event": }'),
        ("sh", "for a in 1 2; do echo $a; done", "for a in 1 2; echo"),
        pytest.param(
            "js",
            'import a from "a";\nawait a();',
            "const = 1;",
            marks=pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node"),
        ),
    ],
)
def test_code(tmp_path: Path, language: str, good: str, bad: str) -> None:
    """Code that parses passes, and code that does not is told with its language and line."""
    page = f"# A\n\n```{language}\n{good}\n```\n\n```{language}\n{bad}\n```\n"
    [problem] = problems(tmp_path, a=page)
    line = 7 + good.count("\n")
    assert problem.lower().startswith(f"a.md:{line}: {'shell' if language == 'sh' else ''}")
    assert "rror" in problem or "JSON" in problem or "invalid syntax" in problem


def test_a_block_without_a_language(tmp_path: Path) -> None:
    """A block of code that names no language is a problem, and one of text is none."""
    [problem] = problems(tmp_path, a="```\nmake\n```\n\n```text\nmake (\n```\n")
    assert problem.startswith("a.md:1: a code block names no language")


def test_paths_in_code_spans(tmp_path: Path) -> None:
    """A path of the repository in a code span has to exist; other code spans are left alone."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "errors.py").touch()
    text = "`shared/errors.py` `shared/gone.py` `shared/` `/ws` `shared/*.lua` `make test`\n"
    assert problems(tmp_path, a=text) == ["a.md:1: shared/gone.py: there is no such file"]


def test_pages_that_sources_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A page that a source file names has to exist."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# A\n")
    source = tmp_path / "module.py"
    source.write_text(f'"""See {DOCS}/a.md, and https://example.org/{DOCS}/gone.md."""\n')
    assert check_documents.main(tmp_path) == 0
    source.write_text(f'"""A thing.\n\nSee {DOCS}/gone.md.\n"""\n')
    assert check_documents.main(tmp_path) == 1
    assert f"module.py:3: {DOCS}/gone.md: there is no such page" in capsys.readouterr().err


def test_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder with a problem ends with 1 and one line for it; a folder without one ends with 0."""
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "theirs.md").write_text("[gone](gone.md)")
    assert check_documents.main(tmp_path) == 0
    (tmp_path / "ours.md").write_text("[gone](gone.md)")
    assert check_documents.main(tmp_path) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_the_pages_of_this_repository() -> None:
    """Every page of this repository has links that lead somewhere, and code that parses."""
    assert check_documents.main(ROOT) == 0
