"""Commands of an operator: revoke tokens, list and take back revocations, disconnect users."""

import argparse
import time
from datetime import UTC, datetime
from functools import partial
from typing import Final

from msgspec.structs import replace

from persister.commands.printing import print_line
from persister.writer import writing_engine
from shared.config import ConfigError, Settings
from shared.model.revocations import Revocation, RevocationKind
from shared.storage.engine import Engine
from shared.storage.reach import reach_database
from shared.storage.revocations import change_revocation, list_revocations

COMMANDS: Final = frozenset({"revoke", "unrevoke", "revocations", "disconnect"})

DISCONNECT_SECONDS: Final = 3600
"""Seconds for which a gateway that could not read SQL carries a disconnection out once it can."""

CLOCK_SECONDS: Final = 3600
"""Seconds by which a revocation outlives the longest token, as clocks differ."""


async def change_revocations(
    settings: Settings, arguments: argparse.Namespace, *, known_open: bool
) -> bool:
    """Run one of `COMMANDS`. Return True if it found what it was to change.

    Args:
        settings: `JWT_MAX_HOURS` tells when a revocation is not needed any more.
        arguments: of the command line.
        known_open: True if the gateways are known to run with AUTH_MODE=open.

    Raises:
        ConfigError: there are no tokens, the time does not fit, or the database cannot be used.
    """
    if arguments.command in ("revoke", "unrevoke") and known_open:
        raise ConfigError(
            "with AUTH_MODE=open there are no tokens to revoke, as anybody may use any name;"
            " `disconnect --user` ends the connections of a user"
        )
    engine = writing_engine(settings)
    try:
        await reach_database(engine)
        if arguments.command == "unrevoke":
            return await _unrevoke(_key_of(arguments), engine)
        if arguments.command == "revocations":
            await _list(engine)
        elif arguments.command == "disconnect":
            await _disconnect(arguments.user, engine)
        else:
            await _revoke(arguments, settings, engine)
    finally:
        await engine.dispose()
    return True


def _key_of(arguments: argparse.Namespace) -> tuple[RevocationKind, str]:
    return ("user", arguments.user) if arguments.user else ("token", arguments.jti)


async def _revoke(arguments: argparse.Namespace, settings: Settings, engine: Engine) -> None:
    now = time.time()
    kind, subject = _key_of(arguments)
    before = 0.0
    if kind == "user":
        before = now if arguments.before is None else arguments.before
    if before > now:
        raise ConfigError("--before is in the future: the user could not sign in until then")
    until = arguments.until
    if until is None and settings.jwt_max_hours is not None:
        until = now + settings.jwt_max_hours * 3600 + CLOCK_SECONDS
    if until is not None and until <= now:
        raise ConfigError("--until is over: give a time at which the tokens have expired")
    new = Revocation(
        *(kind, subject, 0, _milliseconds(now), _milliseconds(before)),
        None if until is None else _milliseconds(until),
    )
    made = await change_revocation(engine, kind, subject, partial(_joined, new)) or new
    print_line(f"{_described(made)}; gateways know it within two seconds")


def _joined(new: Revocation, present: Revocation | None) -> Revocation:
    """Return what refuses all that either revocation refuses, for as long as either does.

    Otherwise a second one, with an earlier time or an end, would let tokens in again.
    """
    if present is None or present.is_over(time.time()):
        return new
    ends = (new.until, present.until)
    until = None if None in ends else max(filter(None, ends))
    return replace(new, before=max(new.before, present.before), until=until)


async def _unrevoke(key: tuple[RevocationKind, str], engine: Engine) -> bool:
    found: list[Revocation] = []

    def take_back(present: Revocation | None) -> Revocation | None:
        now = time.time()
        if present is None or present.is_over(now):
            return None
        found.append(present)
        # A row that is over stays for a while: by its new number, gateways learn of the change.
        return replace(present, at=_milliseconds(now), until=_milliseconds(now))

    await change_revocation(engine, *key, take_back)
    if not found:
        print_line("nothing is revoked by this name")
        return False
    print_line(f"taken back: {_described(found[0])}")
    return True


async def _disconnect(user: str, engine: Engine) -> None:
    now = time.time()
    until = _milliseconds(now + DISCONNECT_SECONDS)
    made = Revocation("disconnect", user, 0, _milliseconds(now), until=until)
    await change_revocation(engine, made.kind, user, lambda _: made)
    print_line(f"the connections of {user} end within two seconds")


async def _list(engine: Engine) -> None:
    now = time.time()
    found = [
        each
        for each in await list_revocations(engine)
        if each.kind != "disconnect" and not each.is_over(now)
    ]
    for each in found:
        print_line(_described(each))
    print_line(f"{len(found)} {'revocation' if len(found) == 1 else 'revocations'}")


def _described(revocation: Revocation) -> str:
    """One line about a revocation."""
    until = "for good" if revocation.until is None else f"until {_shown(revocation.until)}"
    if revocation.kind == "token":
        return f"the token {revocation.subject}, {until}"
    return f"tokens of {revocation.subject} issued before {_shown(revocation.before)}, {until}"


def _shown(milliseconds: int) -> str:
    """A time in UTC, as the options of `revoke` take it."""
    shown = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return shown.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
