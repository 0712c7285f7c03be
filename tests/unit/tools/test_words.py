"""The check of words, on small repositories that are made up."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.process import ROOT

GLOSSARY = """# Glossary

## Words to use

| word | meaning |
| --- | --- |
| `Visitor` | of a museum |

## Words not to use

| not this | but this | where |
| --- | --- | --- |
| `Visitor`, `visitor` | rate-limit subject | |
| `MOST_*`, `*_EVERY` | `MAX_*` | |
| `link` | connection | `gateway/api` |

## Phrases not to use

| phrase | write instead |
| --- | --- |
| `stays shut` | cannot be entered |
"""

FOUND = "`{name}` is not a word of the glossary: use rate-limit subject"


def check(root: Path, files: dict[str, str], glossary: str = GLOSSARY) -> tuple[int, list[str]]:
    """Write files into a repository and check it; return the exit code and the findings."""
    for name, text in {"docs/glossary.md": glossary, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        (sys.executable, "-m", "tools.words", "--root", str(root)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, (done.stdout if done.returncode < 2 else done.stderr).splitlines()


def test_a_clean_repository_passes(tmp_path: Path) -> None:
    """Words that only contain a banned one, text about it, and what is in no source folder pass."""
    files = {
        "gateway/rates.py": '"""A visitor."""\n\nvisitors = ALMOST_ALL = "Visitor"  # a Visitor\n',
        "docs/index.md": "A `Visitor` is what was counted.\n",
        "build/old.py": "class Visitor: ...\n",
        "clients/javascript/node_modules/a/index.js": "export class Visitor {}\n",
    }
    assert check(tmp_path, files) == (0, [])


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("class Visitor: ...\n", 1),
        ("\ndef visitor(): ...\n", 2),
        ("async def visitor(): ...\n", 1),
        ("def f(\n    *, visitor=1): ...\n", 2),
        ("f(\n    visitor=1)\n", 2),
        ("a = (\n    b.c\n    .visitor)\n", 3),
        ("for visitor in a: ...\n", 1),
        ("from a.visitor import b\n", 1),
        ("from a import Visitor as b\n", 1),
        ("import a as visitor\n", 1),
        ("try: ...\nexcept E as visitor: ...\n", 2),
        ("match a:\n    case [*visitor]: ...\n", 2),
        ("a = _visitor\n", 1),
        ("a = b.__visitor\n", 1),
    ],
)
def test_banned_identifiers_of_python(tmp_path: Path, code: str, line: int) -> None:
    """Whatever a banned identifier names, it is told with file and line, private or not."""
    status, [finding] = check(tmp_path, {"tests/a.py": code})
    assert status == 1
    assert finding.startswith(f"tests/a.py:{line}: `")
    assert finding.endswith("is not a word of the glossary: use rate-limit subject")


@pytest.mark.parametrize("name", ["Visitor", "visitor"])
def test_a_file_has_a_name_too(tmp_path: Path, name: str) -> None:
    """A module that is called by a banned word is told."""
    status, findings = check(tmp_path, {f"shared/{name}.py": ""})
    assert (status, findings) == (1, [f"shared/{name}.py:1: {FOUND.format(name=name)}"])


def test_banned_identifiers_of_javascript(tmp_path: Path) -> None:
    """JavaScript is searched outside of comments and strings, and in expressions of templates."""
    code = """// visitor
/* a Visitor
   and a visitor */
const a = "a visitor" + 'visitor \\' visitor' + `visitor ${b}`;
a.visitor = `1
  ${visitor.c}`;
"""
    status, findings = check(tmp_path, {"gateway/page/a.js": code})
    told = FOUND.format(name="visitor")
    assert (status, findings) == (1, [f"gateway/page/a.js:{line}: {told}" for line in (5, 6)])


def test_patterns(tmp_path: Path) -> None:
    """A star stands for anything at its end of an identifier, and upper case for itself."""
    code = "MOST_ROOMS = 1\n_LOOK_EVERY = 2\nmost_rooms = ALMOST_ALL = EVERYBODY = 3\n"
    status, findings = check(tmp_path, {"deploy/a.py": code})
    use = "is not a word of the glossary: use MAX_*"
    told = [f"deploy/a.py:1: `MOST_ROOMS` {use}", f"deploy/a.py:2: `_LOOK_EVERY` {use}"]
    assert (status, findings) == (1, told)


def test_a_word_is_banned_in_a_folder(tmp_path: Path) -> None:
    """A row that names a folder bans its words there and nowhere else."""
    code = "link = 1\n"
    files = {"gateway/api/a.py": code, "gateway/a.py": code, "tests/a.py": code}
    status, findings = check(tmp_path, files)
    told = "`link` is not a word of the glossary: use connection"
    assert (status, findings) == (1, [f"gateway/api/a.py:1: {told}"])


def test_docstrings_that_open_as_questions(tmp_path: Path) -> None:
    """Each such docstring of the sources is told with its place. Tests are free."""
    files = {
        "tests/a.py": 'def f() -> None:\n    """What is done."""\n',
        "gateway/a.py": '"""A module."""\n\n\ndef f() -> None:\n    """Whole."""\n',
    }
    assert check(tmp_path, files) == (0, [])
    files["tools/a.py"] = '"""Whether it fits."""\n'
    files["clients/a.py"] = 'class A:\n    """Whose it is."""\n'
    status, findings = check(tmp_path, files)
    assert (status, sorted(findings)) == (
        1,
        [
            "clients/a.py:2: opens as a question: Whose it is.",
            "tools/a.py:1: opens as a question: Whether it fits.",
        ],
    )


def test_arguments_that_nothing_is_said_of(tmp_path: Path) -> None:
    """An argument's line that only repeats its name, or asks for it, is told with its place."""
    code = '''def f(connection: int, room_id: int, port: int, name: str) -> None:
    """Do it.

    Args:
        connection: which.
        room_id (int): the id of the room.
        port: where it listens.
        name: the name
            of the room.
        **options: the options.

    Returns:
        connection: which.
    """
'''
    status, findings = check(tmp_path, {"persister/a.py": code})
    says = "says nothing of the argument:"
    assert (status, findings) == (
        1,
        [
            f"persister/a.py:5: {says} connection: which.",
            f"persister/a.py:6: {says} room_id (int): the id of the room.",
            f"persister/a.py:10: {says} **options: the options.",
        ],
    )


def test_phrases(tmp_path: Path) -> None:
    """A phrase is found in documents and in texts of the sources, however it is broken up."""
    files = {
        "README.md": "Out of the room, and it stays\nshut.\n",
        "docs/how-to/index.md": "# Rooms\n\nIt Stays Shut.\n\nIt stays shutters, outstays shut.\n",
        "gateway/page/index.html": "<p>\nIt stays shut.</p>\n",
        "shared/a.py": 'raise E("it stays shut")  # stays shut\n',
        "tests/a.py": 'A = "it stays shut"\n',
    }
    status, findings = check(tmp_path, files)
    places = ["README.md:1", "docs/how-to/index.md:3", "gateway/page/index.html:2", "shared/a.py:1"]
    assert (status, findings) == (1, [f"{place}: says 'stays shut'" for place in places])


def test_phrases_in_a_list(tmp_path: Path) -> None:
    """The phrases may be a list, with what to write instead after a colon."""
    glossary = GLOSSARY.partition("| phrase")[0] + "- `stays shut`: write `is closed`\n"
    files = {"CHANGELOG.md": "It stays shut, it is closed.\n"}
    assert check(tmp_path, files, glossary) == (1, ["CHANGELOG.md:1: says 'stays shut'"])


def test_a_file_that_does_not_parse(tmp_path: Path) -> None:
    """A file that is no Python is a finding, not a crash."""
    status, [finding] = check(tmp_path, {"shared/a.py": "\ndef :\n"})
    assert (status, finding.partition(" ")[0]) == (1, "shared/a.py:2:")


@pytest.mark.parametrize("glossary", ["# Glossary\n", GLOSSARY.replace("`", "")])
def test_a_glossary_without_words_is_refused(tmp_path: Path, glossary: str) -> None:
    """A glossary from which no word can be read ends the check: it would pass everything."""
    told = "docs/glossary.md has no table with identifiers under 'Words not to use'"
    assert check(tmp_path, {}, glossary) == (2, [told])


def test_without_a_glossary(tmp_path: Path) -> None:
    """Where there is no glossary, one sentence says so."""
    done = subprocess.run(
        (sys.executable, "-m", "tools.words", "--root", str(tmp_path)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    told = "docs/glossary.md cannot be read: No such file or directory\n"
    assert (done.returncode, done.stderr) == (2, told)
