"""The command line."""

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
from parley_chat.requests.asking import check_user
from parley_chat.terminal.commands import user_id

EPILOG = (
    "Without --json, /help lists the commands. NO_COLOR=1 turns colours off. PARLEY_TOKEN is a"
    " token that says who you are, where no file holds one."
)


class Options(msgspec.Struct, frozen=True):
    """What was asked for."""

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
    """Read the command line; what is wrong with it ends the process with exit code 2."""
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
        parser.error("this machine does not say who you are: give --name")
    if given["room"] is None and (given["create"] or given["password"] is not None):
        parser.error("--create and --password are for the room that --room names")
    return msgspec.convert(given, Options)


def _identify(given: dict[str, Any]) -> None:
    """Find out who it is, and whom it talks to.

    Raises:
        ValueError: these cannot be.
        OSError, KeyError: nobody says who it is.
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
        raise ValueError("--user is a name, too: leave --name away")
    given["name"] = str(given["user"])


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="parley-chat", description="Chat in the terminal.", epilog=EPILOG)
    add = parser.add_argument
    add("url", nargs="*", metavar="URL", help="servers, the next one after each lost connection")
    add("--name", help="your name (default: whom your token names, or your login)")
    add("--token-file", metavar="FILE", help="a file whose token says who you are, read each time")
    add("--user", metavar="ID", help="come online as this user")
    add("--dm", metavar="USER", help="a user whose direct chat to open")
    add("--room", help="a room to join at once")
    add("--password", help="of that room")
    add("--create", action="store_true", help="make that room if there is none")
    add("--json", action="store_true", help="an event a line as JSON; commands as JSON or text")
    add("--stay", action="store_true", help="go on listening after the end of the input")
    add("--wire", choices=sorted(WIRES), default="json", help="the format of the frames")
    return parser
