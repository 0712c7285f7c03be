"""The guides show the programs that stand under `examples`."""

import pytest

from tests.support.process import ROOT


@pytest.mark.parametrize(
    ("guide", "program"),
    [
        ("get-started/bot.md", "javascript-bot/bot.mjs"),
        ("get-started/python-bot.md", "python-bot/bot.py"),
    ],
)
def test_a_guide_shows_the_example(guide: str, program: str) -> None:
    """The program that a guide lets its reader save is the example that the tests run."""
    shown = (ROOT / "docs" / guide).read_text().split("```")
    language = "js" if program.endswith(".mjs") else "python"
    [code] = [block for block in shown if block.startswith(f"{language}\n")]
    assert code.removeprefix(f"{language}\n") == (ROOT / "examples" / program).read_text()
