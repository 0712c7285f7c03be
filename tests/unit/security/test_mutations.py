"""The mutation check of `make security-mutations`: its table, its page and its verdicts."""

import ast
import itertools
import re
import shutil
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from tests.security.mutations.mutation import Mutation, without
from tests.security.mutations.table import MUTATIONS, WITHOUT_MUTATION
from tests.security.mutations.trial import judge, run_tests, try_mutation
from tests.support.process import ROOT

PAGE = ROOT / "docs" / "topics" / "security.md"

SUITE = """
import pytest

@pytest.mark.parametrize("number", [1, 2])
def test_that_notices(number): assert number == 1

def test_that_expects_an_error():
    with pytest.raises(ValueError): pass

def test_that_passes(): pass

def test_that_breaks(): raise KeyError("x")

def test_that_waits(): raise TimeoutError

def test_that_is_refused(): raise RuntimeError

@pytest.fixture
def broken(): raise AssertionError

def test_without_its_fixture(broken): pass
"""


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.defence)
def test_every_mutation_applies(mutation: Mutation, tmp_path: Path) -> None:
    """What a mutation replaces is in the sources exactly once, and its tests are there."""
    for change in mutation.changes:
        copy = tmp_path / change.file
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not copy.exists():
            shutil.copy(ROOT / change.file, copy)
        change.apply(tmp_path)
    for test in mutation.tests:
        file, _, name = test.partition("::")
        tree = ast.parse((ROOT / file).read_text())
        found = {
            node.name
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert name.partition("[")[0] in found, test


def defences_of_the_page() -> dict[str, str]:
    """The tests of each defence, as the tables of the page have them."""
    rows: dict[str, str] = {}
    tokens = MarkdownIt("commonmark").enable("table").parse(PAGE.read_text())
    cells: list[str] = []
    heads: list[str] = []
    for token, following in itertools.pairwise(tokens):
        if token.type == "tr_open":
            cells = []
        elif token.type == "th_open":
            cells.append(following.content)
            heads = cells
        elif token.type == "td_open":
            cells.append(following.content)
        elif token.type == "tr_close" and heads[0] == "defence" and cells is not heads:
            assert cells[0] not in rows, f"{cells[0]} is on the page twice"
            rows[cells[0]] = cells[-1]
    return rows


def test_the_page_names_what_is_tried() -> None:
    """The page has each defence of the table with the files of its tests, and no other one."""
    wanted: dict[str, set[str]] = {}
    for mutation in MUTATIONS:
        files = {test.partition("::")[0] for test in mutation.tests}
        wanted.setdefault(mutation.defence, set()).update(files)
    assert not wanted.keys() & WITHOUT_MUTATION.keys()
    page = defences_of_the_page()
    assert page.keys() == wanted.keys() | WITHOUT_MUTATION.keys()
    for defence, files in wanted.items():
        assert set(re.findall(r"tests/[\w/.]+", page[defence])) == files, defence


def test_a_stale_mutation_is_told() -> None:
    """A mutation whose text is not in the sources is stale, and no test is run."""
    trial = try_mutation(without("none", "shared/rates.py", "no such text", "", "tests/none.py::x"))
    assert trial.verdict == "stale"
    assert "shared/rates.py" in trial.details[0]


def test_verdicts(tmp_path: Path) -> None:
    """A defence is caught if each test fails by an assertion, and survives if one passes."""
    (tmp_path / "test_suite.py").write_text(SUITE)
    names = ("notices", "expects_an_error", "passes", "breaks", "waits", "is_refused")
    notices, expects, passes, breaks, waits, refused = (
        f"test_suite.py::test_that_{n}" for n in names
    )
    unset, absent = (f"test_suite.py::{n}" for n in ("test_without_its_fixture", "test_nowhere"))
    suite = (
        notices,
        f"{notices}[2]",
        f"{notices}[1]",
        expects,
        passes,
        breaks,
        waits,
        refused,
        unset,
    )
    run = run_tests(tmp_path, suite, fails_by=("RuntimeError",))
    assert run.outcomes == {
        notices: "failed",
        f"{notices}[2]": "failed",
        f"{notices}[1]": "passed",
        expects: "failed",
        passes: "passed",
        breaks: "broken",
        waits: "failed",
        refused: "failed",
        unset: "broken",
    }
    for tests, verdict in (
        ((notices, expects, waits, refused), "caught"),
        ((notices, passes), "SURVIVED"),
        ((notices, breaks), "broken"),
        ((notices, unset), "broken"),
        ((notices, absent), "broken"),
    ):
        assert judge(tests, run)[0] == verdict
