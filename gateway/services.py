"""What handlers work with: the parts of a gateway, put together in `app`."""

from dataclasses import dataclass

from gateway.chat_follower import ChatFollower
from gateway.chat_list import ChatList
from gateway.cursors import Cursors
from gateway.directory import Directory
from gateway.history import History
from gateway.hub import Hub
from gateway.passwords import Passwords
from gateway.presence import Presence
from gateway.pulse import Pulse
from gateway.typing_status import TypingStatus
from shared.broker.publisher import Publisher
from shared.config import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one gateway."""

    settings: Settings
    hub: Hub
    directory: Directory
    history: History
    passwords: Passwords
    publisher: Publisher
    pulse: Pulse
    typing: TypingStatus
    follower: ChatFollower
    chats: ChatList
    cursors: Cursors
    presence: Presence
