"""Command line options of the terminal chat."""

import argparse
import getpass
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import msgspec

from parley_chat.connection.address import websocket_url
from parley_chat.connection.wire import WIRES, WireName
from parley_chat.events.kinds import UserId
from parley_chat.requests.requester import check_user
from parley_chat.terminal.commands import user_id

EPILOG = (
    "Without --json, /help lists the commands. NO_COLOR=1 turns colours off. PARLEY_TOKEN is a"
    " token that says who you are, where no file holds one."
)


class Options(msgspec.Struct, frozen=True):
    """Options of a run."""

    url: list[str]
    name: str | None
    token: str | None = None
    token_file: str | None = None
    user: UserId | None = None
    dm: UserId | None = None
    room: str | None = None
    password: str | None = None
    create: bool = False
    json: bool = False
    stay: bool = False
    wire: WireName = "json"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """End with one sentence, and exit code 2."""
        sys.stderr.write(f"{self.prog}: {message}\n")
        raise SystemExit(2)


def read(arguments: Sequence[str]) -> Options:
    """Parse the command line; a mistake ends the process with one sentence and exit code 2."""
    parser = _parser()
    given = vars(parser.parse_args(arguments))
    given["url"] = given["url"] or ["http://127.0.0.1:8080"]
    given["token"] = None if given["token_file"] else os.environ.get("PARLEY_TOKEN") or None
    try:
        for url in given["url"]:
            websocket_url(url)
        _identify(given)
    except ValueError as error:
        parser.error(str(error))
    except (OSError, KeyError):
        parser.error("this system has no login name for you: give --name")
    if given["room"] is None and (given["create"] or given["password"] is not None):
        parser.error("--create and --password are for the room that --room names")
    return msgspec.convert(given, Options)


def _identify(given: dict[str, Any]) -> None:
    """Complete name, user and direct chat.

    Raises:
        ValueError: one of them is not valid.
        OSError, KeyError: no option has a name, and the system has none for the user.
    """
    for option in ("user", "dm"):
        if given[option] is not None:
            given[option] = user_id(given[option])
            check_user(given[option])
    if given["user"] is None:
        if not (given["token"] or given["token_file"]):
            given["name"] = given["name"] or getpass.getuser()
        return
    if given["name"] not in {None, str(given["user"])}:
        raise ValueError("--user is a name too: leave --name out")
    given["name"] = str(given["user"])


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="parley-chat", description="Chat in the terminal.", epilog=EPILOG)
    add = parser.add_argument
    add("url", nargs="*", metavar="URL", help="servers; each attempt to connect goes to the next")
    add("--name", help="your name (default: whom your token names, or your login)")
    add("--token-file", metavar="FILE", help="a file with your token, read for each connection")
    add("--user", metavar="ID", help="go online as this user")
    add("--dm", metavar="USER", help="open the direct chat with this user")
    add("--room", help="join this room")
    add("--password", help="password of that room")
    add("--create", action="store_true", help="create that room if there is none")
    add(
        "--json",
        action="store_true",
        help="one JSON object a line; commands as JSON or text",
    )
    add("--stay", action="store_true", help="go on after the end of the input")
    add("--wire", choices=sorted(WIRES), default="json", help="wire format")
    return parser
