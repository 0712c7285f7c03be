"""What handlers work with: the parts of a gateway, put together in `app`."""

from dataclasses import dataclass

from gateway.authorization import Authorization
from gateway.chat_follower import ChatFollower
from gateway.chat_list import ChatList
from gateway.cursors import Cursors
from gateway.deadlines import Deadlines
from gateway.directory import Directory
from gateway.durability import Durability
from gateway.fan_out import FanOut
from gateway.flusher import Flusher
from gateway.grants import Grants
from gateway.history import History
from gateway.hub import Hub
from gateway.identity import Identity
from gateway.limits import Limits
from gateway.partition_watch import PartitionWatch
from gateway.passwords import Passwords
from gateway.presence import Presence
from gateway.pulse import Pulse
from gateway.readiness import Readiness
from gateway.replay import Replay
from gateway.sessions import Sessions
from gateway.typing_status import TypingStatus
from shared.broker.keyspace import Keyspace
from shared.broker.publisher import Publisher
from shared.broker.rooms import RoomBroker
from shared.config import Settings
from shared.storage.chats import ChatReader
from shared.storage.reader import Reader


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one gateway."""

    settings: Settings
    keys: Keyspace
    flusher: Flusher
    hub: Hub
    fan_out: FanOut
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
    grants: Grants
    authorization: Authorization
    replay: Replay
    rooms: RoomBroker
    reader: Reader
    chat_reader: ChatReader
    watch: PartitionWatch
    durability: Durability
    readiness: Readiness
    sessions: Sessions
    limits: Limits | None
    identity: Identity
    deadlines: Deadlines
