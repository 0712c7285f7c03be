"""From the command line to a running chat, and to an exit code."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from parley_chat.client import ChatClient
from parley_chat.connection.credentials import TokenSource
from parley_chat.errors import ChatError
from parley_chat.terminal import options
from parley_chat.terminal.chat import Chat
from parley_chat.terminal.commands import parse, parse_json
from parley_chat.terminal.lines import PipedLines, TypedLines
from parley_chat.terminal.options import Options
from parley_chat.terminal.screen import Screen
from parley_chat.terminal.views import JsonView, Plain, TextView, View, sentence

LOOK_EVERY: Final = 0.5
TYPING_EVERY: Final = 1.5
"""Seconds between two notices of typing; the server takes one back after 2.2."""


def run() -> NoReturn:
    """Run the program: `parley-chat`, or `python -m parley_chat`."""
    raise SystemExit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Chat until the end of the input.

    Returns:
        0; 1 when the server cannot be reached at first, or does not want us; 2 (by SystemExit)
        for arguments that are not valid.
    """
    chosen = options.read(arguments)
    try:
        client = ChatClient(
            chosen.url, username=chosen.name, token=_token(chosen), wire=chosen.wire
        )
    except ValueError as error:
        sys.stderr.write(f"--name {chosen.name!r} is no name: {error}\n")
        return 2
    try:
        return asyncio.run(_chat(client, chosen))
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return 130
    except BrokenPipeError:  # whoever read our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


async def _chat(client: ChatClient, chosen: Options) -> int:
    typed = TypedLines() if not chosen.json and _in_terminal() else None
    try:
        async with client:
            view = _view(chosen, client.username or "", typed)
            chat = Chat(client, view, parse_json if chosen.json else parse)
            return await _converse(chat, chosen, typed)
    except (ChatError, ConnectionError, TimeoutError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        sys.stderr.write(f"{sentence(error)}\n")
        return 1


async def _converse(chat: Chat, chosen: Options, typed: TypedLines | None) -> int:
    """Listen and talk, each in its task, until the one that ends the conversation ends."""
    lines = _prompted(typed, chat) if typed else aiter(PipedLines())
    showing = asyncio.create_task(chat.show())
    tasks: list[asyncio.Task[Any]] = [showing]
    try:
        await chat.enter(chosen)
        obeying = asyncio.create_task(chat.obey(lines))
        tasks.append(obeying)
        if typed:
            tasks.append(asyncio.create_task(_notice(chat, typed)))
        await asyncio.wait({showing, obeying}, return_when=asyncio.FIRST_COMPLETED)
        if obeying.done() and obeying.result() and chosen.stay:
            await showing
        if showing.done():
            showing.result()
        return 0 if obeying.done() else 1
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _prompted(typed: TypedLines, chat: Chat) -> AsyncIterator[str]:
    typed.prompt = f"{chat.prompt}> "
    async for line in typed:
        yield line
        typed.prompt = f"{chat.prompt}> "


async def _notice(chat: Chat, typed: TypedLines) -> None:
    """Tell the others that somebody is typing here."""
    before, told = "", 0.0
    while True:
        await asyncio.sleep(LOOK_EVERY)
        line, now = typed.buffer, asyncio.get_running_loop().time()
        goes_on = line not in {"", before} and not line.startswith("/")
        if goes_on and now - told >= TYPING_EVERY:
            told = now
            await chat.type()
        before = line


def _token(chosen: Options) -> TokenSource | None:
    if chosen.token_file is None:
        return chosen.token
    file = Path(chosen.token_file)

    async def read() -> str:
        return (await asyncio.to_thread(file.read_text)).strip()

    return read


def _view(chosen: Options, name: str, typed: TypedLines | None) -> View:
    if chosen.json:
        return JsonView(Plain())
    colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return TextView(Screen(name, colours=colours), typed or Plain())


def _in_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()
