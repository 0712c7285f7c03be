"""The parts of one gateway, in four groups: access, clients, rooms, cluster."""

from dataclasses import dataclass

from gateway.access.acquaintance import Acquaintance
from gateway.access.authorization import Authorization
from gateway.access.grants import Grants
from gateway.access.guests import GuestBans
from gateway.access.identity import Identity
from gateway.access.rates.limits import Limits
from gateway.access.revocations import Revocations
from gateway.access.shares.fair_queue import FairQueue
from gateway.access.shares.guesses import Guesses
from gateway.access.shares.passwords import Passwords
from gateway.access.user_names import UserNames
from gateway.cluster.attendance import Attendance
from gateway.cluster.departures import Departures
from gateway.cluster.guests import GuestPlaces
from gateway.cluster.heartbeat import HeartbeatMonitor
from gateway.cluster.partition_watch import PartitionWatch
from gateway.cluster.presence import Presence
from gateway.cluster.readiness import Readiness
from gateway.cluster.revocations import RevocationWatch
from gateway.cluster.status import ClusterStatus
from gateway.connections.deadlines import Deadlines
from gateway.connections.flusher import Flusher
from gateway.connections.intake import Intakes
from gateway.recovery.store import SessionStore
from gateway.rooms.chat_follower import ChatFollower
from gateway.rooms.durability import Durability
from gateway.rooms.fan_out import FanOut
from gateway.rooms.hub import Hub
from gateway.rooms.people.typing import TypingStatus
from gateway.rooms.store.chat_list import ChatList
from gateway.rooms.store.cursors import Cursors
from gateway.rooms.store.directory import Directory
from gateway.rooms.store.pages.chat_pages import ChatPages
from gateway.rooms.store.pages.history import History
from gateway.rooms.store.pages.moderation_log import ModerationLog
from gateway.rooms.store.replay import Replay
from shared.broker.partitions.keyspace import Keyspace
from shared.broker.rooms.publisher import Publisher
from shared.config import Settings
from shared.trail import Trail


@dataclass(frozen=True, slots=True)
class Access:
    """Access control: identity, rules, passwords and rates.

    Attributes:
        user_names: turns typed names into users' names.
        acquaintance: knows the names under which users have connected.
        limits: None where rates are not limited.
        guesses: None where rates are not limited.
        trail: writes the security events.
        reads: the slots in which clients read the broker and SQL.
    """

    identity: Identity
    revocations: Revocations
    user_names: UserNames
    acquaintance: Acquaintance
    authorization: Authorization
    passwords: Passwords
    grants: Grants
    guest_bans: GuestBans
    trail: Trail
    limits: Limits | None
    guesses: Guesses | None
    reads: FairQueue


@dataclass(frozen=True, slots=True)
class Clients:
    """The services for connections of clients.

    Attributes:
        sessions: sessions of the clients that can be recovered (Socket.IO).
        intakes: budgets of what connections send; None where rates are not limited.
    """

    flusher: Flusher
    deadlines: Deadlines
    sessions: SessionStore
    intakes: Intakes | None


@dataclass(frozen=True, slots=True)
class Rooms:
    """Rooms and direct chats: subscriptions on this gateway, and stored rooms."""

    hub: Hub
    fan_out: FanOut
    follower: ChatFollower
    directory: Directory
    history: History
    replay: Replay
    acts: ModerationLog
    chats: ChatList
    chat_pages: ChatPages
    cursors: Cursors
    typing: TypingStatus
    durability: Durability
    publisher: Publisher


@dataclass(frozen=True, slots=True)
class Cluster:
    """This gateway's part in the cluster, and the partitions."""

    keys: Keyspace
    heartbeat: HeartbeatMonitor
    attendance: Attendance
    departures: Departures
    guests: GuestPlaces
    presence: Presence
    watch: PartitionWatch
    revocations: RevocationWatch
    readiness: Readiness
    status: ClusterStatus


@dataclass(frozen=True, slots=True)
class Gateway:
    """One gateway, with its settings and all its parts."""

    settings: Settings
    access: Access
    clients: Clients
    rooms: Rooms
    cluster: Cluster
