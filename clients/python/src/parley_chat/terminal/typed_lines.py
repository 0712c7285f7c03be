"""Lines typed in a terminal, with the library that the extra `terminal` brings."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal


class TypedLines:
    """Lines typed in a terminal; output is written above the line being typed.

    A line disappears once it is entered: the chat shows it again as the message it became.
    """

    def __init__(self) -> None:
        self._session = PromptSession[str](erase_when_done=True)
        self._unwritten: list[str] = []
        self._writing: Awaitable[None] | None = None

    async def read(self, prompt: Callable[[], str]) -> AsyncIterator[str]:
        """Iterate over the lines, until the end of the input (Ctrl-D).

        Args:
            prompt: returns the text in front of the line being typed.

        Raises:
            KeyboardInterrupt: Ctrl-C.
        """
        while True:
            try:
                yield await self._session.prompt_async(prompt)
            except EOFError:
                return

    def on_change(self, changed: Callable[[str], None]) -> None:
        """Call `changed` with the line being typed, each time that it changes."""
        buffer = self._session.default_buffer
        buffer.on_text_changed += lambda _: changed(buffer.text)

    def write(self, line: str) -> None:
        """Write a line above the one being typed."""
        self._unwritten.append(line)
        if not self._session.app.is_running:
            self._write_all()
        elif len(self._unwritten) == 1:
            # Lines of the same turn of the event loop go together: a catch-up of a thousand
            # messages does not draw the prompt a thousand times.
            self._writing = run_in_terminal(self._write_all)

    def _write_all(self) -> None:
        lines, self._unwritten = self._unwritten, []
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
