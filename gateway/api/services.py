"""What handlers work with: the parts of a gateway, put together in `app`."""

from dataclasses import dataclass

from gateway.access.authorization import Authorization
from gateway.access.grants import Grants
from gateway.access.identity import Identity
from gateway.access.limits import Limits
from gateway.access.passwords import Passwords
from gateway.cluster.heartbeat import Pulse
from gateway.cluster.partition_watch import PartitionWatch
from gateway.cluster.presence import Presence
from gateway.cluster.readiness import Readiness
from gateway.connections.deadlines import Deadlines
from gateway.connections.flusher import Flusher
from gateway.recovery.store import Sessions
from gateway.rooms.chat_follower import ChatFollower
from gateway.rooms.durability import Durability
from gateway.rooms.fan_out import FanOut
from gateway.rooms.hub import Hub
from gateway.rooms.store.chat_list import ChatList
from gateway.rooms.store.cursors import Cursors
from gateway.rooms.store.directory import Directory
from gateway.rooms.store.history import History
from gateway.rooms.store.replay import Replay
from gateway.rooms.typing import TypingStatus
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.rooms.cursors import CursorBroker
from shared.broker.rooms.logs import LogBroker
from shared.broker.rooms.publisher import Publisher
from shared.broker.rooms.rooms import RoomBroker
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
    logs: LogBroker
    cursor_broker: CursorBroker
    reader: Reader
    chat_reader: ChatReader
    watch: PartitionWatch
    durability: Durability
    readiness: Readiness
    sessions: Sessions
    limits: Limits | None
    identity: Identity
    deadlines: Deadlines
