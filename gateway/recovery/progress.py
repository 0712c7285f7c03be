"""Comparison of the offset that a client shows with its session: the events that the client has.

Example: the session says "den" sent up to 9, acknowledged up to 4; "hall" sent up to 7,
acknowledged up to 7; last offset count 120. A client with the offset "count 120" has all and gets
events of "den" above 9. A client with the offset "count 118, den, 8" lacks something: it gets
events of "den" above 8, as the offset names that room, and of "hall" above 7, the acknowledged
seq. Starting "hall" from `sent` then could lose events that were on their way.
"""

from gateway.protocols.offsets import Offset
from shared.model.sessions import ChatProgress, RoomProgress, SessionState


def is_of_session(session: SessionState, offset: Offset | None) -> bool:
    """Return True if the offset was written to the client while it had this session.

    Offsets are the same for all members of a room. The client may show one that it got on the same
    gateway before this session began; its count is not above the one at the session's start.
    """
    return offset is not None and any(
        offset.incarnation == incarnation and offset.count > count_at_start
        for incarnation, count_at_start in session.incarnations
    )


def has_up_to(session: SessionState, offset: Offset | None, count: int) -> bool:
    """Return True if a client has all that its last gateway sent it up to a count of offsets.

    A gateway writes frames to a client in the order of counts, so an offset with this count, or a
    later one, proves all earlier ones. Counts of other gateways prove nothing.
    """
    if not count:
        return True
    incarnation = session.incarnations[-1][0]
    return offset is not None and offset.incarnation == incarnation and offset.count >= count


def last_seq(
    progress: RoomProgress | ChatProgress,
    has_all: bool,  # noqa: FBT001
    offset: Offset | None,
) -> int | None:
    """Return the last seq that a client has; None if it may not know that it joined the room."""
    last = progress.sent if has_all else progress.acknowledged
    if offset is None or offset.room_id != progress.room_id:
        return last
    return max(last or 0, offset.seq)
