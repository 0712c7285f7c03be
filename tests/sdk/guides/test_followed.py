"""Guides and examples, followed step by step from an empty folder.

A page of `docs/get-started` and a folder of `examples` without an entry here is a failure.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.sdk.guides import promises
from tests.sdk.guides.pages import EXAMPLES, GET_STARTED, examples, guides, steps
from tests.sdk.guides.reader import Reader

Promise = Callable[[Reader, Path], Awaitable[None]]

OF_GUIDES: Final[Mapping[str, Promise]] = {
    "bot": promises.dice,
    "first-chat": promises.first_chat,
    "python-bot": promises.dice,
    "react": promises.react,
    "widget": promises.widget,
}
OF_EXAMPLES: Final[Mapping[str, Promise]] = {
    "answering-machine": promises.answering_machine,
    "javascript-bot": promises.dice,
    "python-bot": promises.dice,
    "react": promises.react,
    "reference-client": promises.reference_client,
    "server-rendering": promises.server_rendering,
    "widget": promises.widget,
}


@pytest.mark.parametrize("name", guides(GET_STARTED))
async def test_a_guide_keeps_its_promise(name: str, reader: Reader) -> None:
    """Whoever does what a guide of get-started says gets what it promises."""
    assert name in OF_GUIDES, f"say in {__name__} what docs/get-started/{name}.md promises"
    await OF_GUIDES[name](reader, GET_STARTED / f"{name}.md")


@pytest.mark.parametrize("name", examples())
async def test_an_example_runs_as_its_readme_says(name: str, reader: Reader) -> None:
    """The commands in the README of an example start it, and it does what it is for."""
    assert name in OF_EXAMPLES, f"say in {__name__} what examples/{name} promises"
    await OF_EXAMPLES[name](reader, EXAMPLES / name / "README.md")


@pytest.mark.parametrize("name", guides(GET_STARTED))
def test_a_guide_shows_its_example(name: str) -> None:
    """Each file that a guide lets you save is one of an example that the guide names, unchanged."""
    page = GET_STARTED / f"{name}.md"
    folders = re.findall(r"`examples/([\w-]+)", page.read_text())
    for step in steps(page):
        if step.file is not None:
            originals = [EXAMPLES / folder / step.file for folder in folders]
            shown = [file.read_text() for file in originals if file.exists()]
            assert step.code in shown, f"{page} and {originals} differ in {step.file}"
