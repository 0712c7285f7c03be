"""Running of a command, with the settings of the cluster in DATA_DIR, and its line in the trail."""

import argparse
import asyncio
import os
import pwd
from contextlib import closing

from persister.commands import revocations
from persister.commands.dead_letters import handle_dead_letters
from persister.commands.identity import change_identity
from persister.writer import OUTAGE
from shared.broker.transport.client import UNAVAILABLE
from shared.config import Settings, given_names, load_or_exit
from shared.config.owner import cluster_settings
from shared.telemetry import configure
from shared.trail import Trail, check_trail_file
from shared.trail.events import OperatorAction


def run_command(arguments: argparse.Namespace, data_dir: str) -> bool:
    """Run a command with the settings of the cluster that runs in DATA_DIR, where none are given.

    Returns:
        True if it did all that it was to do.
    """
    command, given = arguments.command, given_names(Settings)
    found = cluster_settings(data_dir, given, redis=command == "dead-letter")
    settings = load_or_exit(Settings, found)
    configure(settings, settings.persister_name)
    check_trail_file(settings.security_log)
    known_open = settings.auth_mode == "open" and "AUTH_MODE" in given | found.keys()
    try:
        done = asyncio.run(_carry_out(settings, arguments, known_open=known_open))
    except (*OUTAGE, *UNAVAILABLE) as error:
        if not _only_lists(arguments):  # a part may have been done, or all of it
            # The drivers of databases raise errors of the system, too.
            is_storage = isinstance(error, OUTAGE)
            code = "storage_unavailable" if is_storage else "broker_unavailable"
            _note_action(settings, arguments, code)
        raise
    # Dead letters of which some were refused again: others may have been stored.
    if (done or command == "dead-letter") and not _only_lists(arguments):
        _note_action(settings, arguments)
    return done


async def _carry_out(
    settings: Settings, arguments: argparse.Namespace, *, known_open: bool
) -> bool:
    command = arguments.command
    if command in revocations.COMMANDS:
        return await revocations.change_revocations(settings, arguments, known_open=known_open)
    if command == "dead-letter":
        return await handle_dead_letters(settings, arguments.action)
    await change_identity(settings, command)
    return True


def _only_lists(arguments: argparse.Namespace) -> bool:
    return arguments.command == "revocations" or getattr(arguments, "action", "") == "list"


def _note_action(
    settings: Settings, arguments: argparse.Namespace, error: str | None = None
) -> None:
    """Write to the trail that the user who runs this command has done something."""
    action, on = arguments.command, None
    if action == "dead-letter":
        action = f"dead-letter {arguments.action}"
    elif action in revocations.COMMANDS:
        named = getattr(arguments, "user", None)
        on = f"user {named}" if named else f"token {arguments.jti}"
    with closing(Trail(settings, settings.persister_name, says=False)) as trail:
        trail.note(OperatorAction(action=action, by=_own_name(), on=on, error=error))


def _own_name() -> str:
    """Return the name of the operating system's user that runs this process."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
