"""The program `parley-chat`."""

import asyncio
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from parley_chat.client import ChatClient
from parley_chat.connection.credentials import TokenSource
from parley_chat.errors import ChatError
from parley_chat.terminal import options
from parley_chat.terminal.chat import Chat
from parley_chat.terminal.commands import parse, parse_json
from parley_chat.terminal.options import Options
from parley_chat.terminal.piped_lines import PipedLines
from parley_chat.terminal.screen import Screen
from parley_chat.terminal.views import JsonView, StreamWriter, TextView, View, error_text

if TYPE_CHECKING:
    from parley_chat.terminal.typed_lines import TypedLines

TYPING_INTERVAL_SECONDS: Final = 1.5
"""Time between two notices of typing; the server ends one after `TYPING_SECONDS`."""

EXTRA: Final = "prompt_toolkit"
"""Package that the extra `terminal` brings."""


def run() -> NoReturn:
    """Run the program: `parley-chat`, or `python -m parley_chat`."""
    raise SystemExit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Chat until the input ends.

    Returns:
        Exit code: 0; 1 when the extra is missing, or the server cannot be reached at first or
        refuses this client; 2 (by SystemExit) for arguments that are not valid; 130 after Ctrl-C.
    """
    chosen = options.read(arguments)
    if find_spec(EXTRA) is None:
        sys.stderr.write(
            "the terminal chat needs the package prompt-toolkit, which the extra"
            " parley-chat[terminal] brings: pip install prompt-toolkit\n"
        )
        return 1
    try:
        client = ChatClient(
            chosen.url, username=chosen.name, token=_token(chosen), wire=chosen.wire
        )
    except ValueError as error:
        sys.stderr.write(f"--name {chosen.name!r} is not a valid name: {error}\n")
        return 2
    try:
        return asyncio.run(_chat(client, chosen))
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return 130
    except BrokenPipeError:  # the reader of the output is gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


async def _chat(client: ChatClient, chosen: Options) -> int:
    typed = _typed_lines() if not chosen.json and _in_terminal() else None
    try:
        async with client:
            view = _view(chosen, client.username or "", typed)
            chat = Chat(client, view, parse_json if chosen.json else parse)
            return await _converse(chat, chosen, typed)
    except (ChatError, ConnectionError, TimeoutError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        sys.stderr.write(f"{error_text(error)}\n")
        return 1


async def _converse(chat: Chat, chosen: Options, typed: "TypedLines | None") -> int:
    """Show events and execute lines, each in a task, until one of them ends the chat."""
    lines = typed.read(lambda: f"{chat.prompt}> ") if typed else aiter(PipedLines())
    showing = asyncio.create_task(chat.show())
    tasks: list[asyncio.Task[Any]] = [showing]
    try:
        await chat.enter(chosen)
        executing = asyncio.create_task(chat.execute(lines))
        tasks.append(executing)
        if typed:
            tasks.append(asyncio.create_task(_notify_typing(chat, typed)))
        await asyncio.wait({showing, executing}, return_when=asyncio.FIRST_COMPLETED)
        if executing.done() and executing.result() and chosen.stay:
            await showing
        if showing.done():
            showing.result()
        return 0 if executing.done() else 1
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _notify_typing(chat: Chat, typed: "TypedLines") -> None:
    """Tell the others while a message is being typed."""
    changed = asyncio.Event()
    typed.on_change(lambda line: changed.set() if line and not line.startswith("/") else None)
    while True:
        await changed.wait()
        await chat.type()
        await asyncio.sleep(TYPING_INTERVAL_SECONDS)
        changed.clear()


def _typed_lines() -> "TypedLines":
    from parley_chat.terminal.typed_lines import TypedLines  # noqa: PLC0415 - needs the extra

    return TypedLines()


def _token(chosen: Options) -> TokenSource | None:
    if chosen.token_file is None:
        return chosen.token
    file = Path(chosen.token_file)

    async def read() -> str:
        return (await asyncio.to_thread(file.read_text)).strip()

    return read


def _view(chosen: Options, name: str, typed: "TypedLines | None") -> View:
    if chosen.json:
        return JsonView(StreamWriter())
    colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return TextView(Screen(name, colours=colours), typed or StreamWriter())


def _in_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()
