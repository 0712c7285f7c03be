"""Everything that clients are sent, from the table of events and the registry of log events."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from gateway.protocols.payloads import Payload
from gateway.protocols.server_events import LOG_EVENT_RECIPIENTS, SERVER_EVENTS, ServerEvent
from shared.model.fields import UserId
from shared.model.kinds import SKIPPED, WHERE, AnnouncedAs, LogEvent, UserName
from shared.model.log_events import LOG_EVENTS, MessagePosted
from tools.reference.docstrings import Described, described
from tools.reference.schemas import GENERATED

FIELDS: Final = {
    "seq": "number of the event in its room or chat; it only grows.",
    "prev": "`seq` of the event before it. A client that has not got that event has missed"
    " something.",
    "room": "name of the room.",
    "chat_id": "id of the direct chat; missing for a room.",
}
"""Texts of what all events of a log have in common."""

ROOM_OR_CHAT: Final = "name of the room; missing for a direct chat."

SKIPPED_MEANING: Final = (
    "Something happened here that this gateway cannot express, because a newer one did it. The"
    " client has this `seq` from here on, as with any other event."
)


@cache
def server_messages() -> Mapping[str, ServerEvent]:
    """Return all events that clients are sent, with the types of their data.

    Raises:
        Undescribed: one is not described.
        KeyError: of an event of logs the table does not say who gets it.
    """
    found = dict(SERVER_EVENTS)
    for kind in LOG_EVENTS:
        if kind is not MessagePosted and kind.announced_as is not SKIPPED:
            found[kind.announced_as.event] = _of_log(kind.announced_as, kind)
    found[SKIPPED.event] = _of_log(SKIPPED, None)
    return found


def _of_log(announced: AnnouncedAs, kind: type[LogEvent] | None) -> ServerEvent:
    recipients, location = LOG_EVENT_RECIPIENTS[announced.event]
    meaning = described(kind).text if kind else SKIPPED_MEANING
    data = _payload(announced, kind, location, meaning)
    return ServerEvent(data, recipients, meaning, location, is_place=True)


def _payload(
    announced: AnnouncedAs, kind: type[LogEvent] | None, location: tuple[str, ...], meaning: str
) -> type[msgspec.Struct]:
    """Return a type like the data of an event of logs, and keep its description."""
    types = {field.name: field.type for field in msgspec.structs.fields(kind)} if kind else {}
    texts = dict(described(kind).fields) if kind else {}
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for name in announced.payload:
        if name == WHERE and location == ("room",):
            fields.append(("room", str))
        elif name == WHERE:
            optional = [("room", str | UnsetType, UNSET), ("chat_id", int | UnsetType, UNSET)]
            fields += optional
        else:
            type_ = types.get(name, int)
            fields.append((name, UserId if type_ is UserName else type_))
    title = announced.event[0].upper() + announced.event[1:] + "Payload"
    # Fields with a default stand behind those without one; their order says nothing in JSON.
    fields.sort(key=len)
    made = msgspec.defstruct(title, fields, bases=(Payload,), frozen=True)
    common = FIELDS | ({"room": ROOM_OR_CHAT} if "chatId" in location else {})
    GENERATED[made] = Described(meaning, "", common | texts)
    return made
