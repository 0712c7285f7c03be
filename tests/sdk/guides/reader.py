"""A reader of guides, who does what they say."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from tests.sdk.guides.machine import Machine
from tests.sdk.guides.pages import Step, steps
from tests.sdk.guides.terminal import Terminal

IN_CHECKOUT = re.compile(r"[Ii]n the (?:folder `parley`|cloned folder)")
BESIDE_IT = re.compile(r"[Ii]n an? (?:empty )?folder beside `parley`")
NEEDS_GENERAL = re.compile(r"the room \*general\* is there")


class Reader:
    """Somebody who follows a guide, with an empty folder beside `parley` to work in.

    Attributes:
        folder: that folder.
        programs: what they started and what still runs, each in a terminal of its own.
    """

    def __init__(self, machine: Machine, folder: Path) -> None:
        self.machine = machine
        self.folder = folder
        self.programs: list[Terminal] = []
        self._cwd = folder

    async def follow(self, page: Path) -> AsyncIterator[Step]:
        """Do what a page says; yield each step when it is done."""
        for step in steps(page):
            self._go(step.text)
            if NEEDS_GENERAL.search(step.text):
                await self.machine.general_is_there()
            if step.file is not None:
                (self.folder / step.file).write_text(self.machine.here(step.code))
            elif step.language == "sh":
                await self.run(step)
            else:
                assert step.language == "text", f"{page}: nobody knows what to do with {step}"
            yield replace(step, code=self.machine.here(step.code))

    async def run(self, step: Step) -> None:
        """Run a step's commands where the reader is."""
        code = self.machine.here(step.code)
        if code.strip() in {"make run-cluster", "make clients"}:
            assert self._cwd == self.machine.checkout, f"{code} has to be run in parley"
            await self.machine.once(code)
            return
        self.programs.append(await self.machine.run(code, self._cwd))

    async def stop(self) -> None:
        """End what still runs, except the cluster."""
        for terminal in self.programs:
            await terminal.stop()

    def _go(self, text: str) -> None:
        """Go to the folder that a text names last, if it names any."""
        places = {IN_CHECKOUT: self.machine.checkout, BESIDE_IT: self.folder}
        named = [
            (found.start(), place)
            for name, place in places.items()
            for found in name.finditer(text)
        ]
        if named:
            self._cwd = max(named, key=lambda each: each[0])[1]
