"""The command line of a persister: its commands, and the values that they take."""

import argparse
from datetime import UTC, datetime
from typing import Final

from shared.command_line import SETTINGS, command_line
from shared.model.fields import check_text
from shared.protocol.limits import MAX_TYPED_NAME_CHARACTERS

COMMANDS: Final = (
    ("dead-letter", "list events that the database refused, or try to store them again"),
    ("adopt", "go on with a database that was copied, restored or moved"),
    ("new-identity", "make a copied database an installation of its own"),
    ("revoke", "refuse a token, or the tokens of a user, and end the connections with them"),
    ("unrevoke", "take a revocation back"),
    ("revocations", "list what is revoked"),
    ("disconnect", "end all connections of a user, who may come back"),
)

MAX_TOKEN_ID_BYTES: Final = 2000
"""Bytes of a token's id, at most; PostgreSQL's indexes take little more."""

TIMES: Final = "as 2026-11-30T21:00:00Z, or in seconds since 1970; UTC unless it says another zone"


def read_arguments(document: str | None) -> argparse.Namespace:
    """Read the command line; `document` is the description of the program."""
    parser = command_line("persister", document, SETTINGS)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    found: dict[str, argparse.ArgumentParser] = {}
    for name, description in COMMANDS:
        found[name] = commands.add_parser(
            name, help=description, description=description, epilog=SETTINGS
        )
    found["dead-letter"].add_argument(
        "action", choices=["list", "retry"], help="what to do with them"
    )
    for name in ("revoke", "unrevoke"):
        subject = found[name].add_mutually_exclusive_group(required=True)
        subject.add_argument("--jti", type=_token_id, help="id of a token: its claim `jti`")
        subject.add_argument("--user", type=_user, help="name of a user, as tokens have it")
    revoke = found["revoke"]
    revoke.add_argument(
        "--before",
        type=_moment,
        metavar="TIME",
        help=f"with --user: refuse what was issued before it, now if not given; {TIMES}",
    )
    revoke.add_argument(
        "--until",
        type=_moment,
        metavar="TIME",
        help="forget the revocation then, as the tokens have expired; if not given, never, or by"
        " JWT_MAX_HOURS",
    )
    found["disconnect"].add_argument(
        "--user", type=_user, required=True, help="name of a user, in exactly this spelling"
    )
    arguments = parser.parse_args()
    if arguments.command == "revoke" and arguments.before is not None and arguments.jti:
        revoke.error("--before goes with --user")
    return arguments


def _token_id(text: str) -> str:
    _check(text, len(text.encode(errors="surrogateescape")), MAX_TOKEN_ID_BYTES, "bytes")
    return text


def _user(text: str) -> str:
    _check(text, len(text), MAX_TYPED_NAME_CHARACTERS, "characters")
    return text


def _check(text: str, size: int, longest: int, unit: str) -> None:
    try:
        check_text(text)
    except ValueError:
        raise argparse.ArgumentTypeError("it is not UTF-8") from None
    if not 0 < size <= longest:
        raise argparse.ArgumentTypeError(f"it must have from 1 to {longest} {unit}")


def _moment(text: str) -> float:
    """Read a time; return it in seconds since 1970."""
    try:
        # Only a time that can be shown.
        return datetime.fromtimestamp(_seconds(text), UTC).timestamp()
    except (ValueError, OverflowError, OSError):
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write it {TIMES}") from None


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
