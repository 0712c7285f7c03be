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
    if command in revocations.COMMANDS:
        known_open = settings.auth_mode == "open" and "AUTH_MODE" in given | found.keys()
        done = asyncio.run(
            revocations.change_revocations(settings, arguments, known_open=known_open)
        )
    elif command == "dead-letter":
        done = _handle_dead_letters(settings, arguments)
    else:
        asyncio.run(change_identity(settings, command))
        done = True
    # Dead letters of which some were refused again: others may have been stored.
    if (done or command == "dead-letter") and not _only_lists(arguments):
        _note_action(settings, arguments)
    return done


def _handle_dead_letters(settings: Settings, arguments: argparse.Namespace) -> bool:
    try:
        return asyncio.run(handle_dead_letters(settings, arguments.action))
    except (*UNAVAILABLE, *OUTAGE) as error:
        if not _only_lists(arguments):  # some may have been stored before
            is_broker = isinstance(error, UNAVAILABLE)
            code = "broker_unavailable" if is_broker else "storage_unavailable"
            _note_action(settings, arguments, code)
        raise


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
