"""Assembly of a gateway's part in the cluster."""

from pathlib import Path

from gateway.api.backends import Backends
from gateway.api.gateway import Access, Cluster, Rooms
from gateway.cluster.attendance import Attendance
from gateway.cluster.departures import Departures
from gateway.cluster.guests import GuestPlaces
from gateway.cluster.heartbeat import HeartbeatMonitor
from gateway.cluster.partition_watch import PartitionWatch
from gateway.cluster.presence import Presence
from gateway.cluster.readiness import Readiness
from gateway.cluster.revocations import RevocationWatch
from gateway.cluster.status import ClusterStatus
from gateway.recovery.store import SessionStore
from gateway.rooms.store.epoch_check import EpochCheck
from shared.broker.partitions.members import Membership
from shared.broker.partitions.overview import ClusterInspector
from shared.broker.partitions.partitions import PartitionProbe
from shared.broker.sessions.attendance import AttendanceBroker
from shared.broker.sessions.disconnections import DisconnectionBroker
from shared.broker.sessions.guests import GuestBroker
from shared.config import Settings
from shared.storage.revocations import RevocationReader
from shared.storage.tables import FORMS_SINCE_MIGRATION, SCHEMA


def revocation_watch(
    links: Backends, access: Access, rooms: Rooms, sessions: SessionStore
) -> RevocationWatch:
    """Assemble what learns of revoked tokens, and ends the connections that have them."""
    return RevocationWatch(
        RevocationReader(links.reader),
        DisconnectionBroker(links.reads, links.keys),
        access.revocations,
        rooms.fan_out,
        sessions,
    )


def build_cluster(
    settings: Settings,
    links: Backends,
    check: EpochCheck,
    rooms: Rooms,
    heartbeat: HeartbeatMonitor,
    access: Access,
    revocations: RevocationWatch,
) -> Cluster:
    """Assemble what this gateway does with the others, and what it tells of itself."""
    attendance, departures = _attendance(settings, links, rooms, heartbeat)
    presence = _presence(settings, rooms, heartbeat)
    watch = _partition_watch(settings, links, check, rooms, heartbeat)
    judges = access.revocations if access.identity.required else None
    readiness = Readiness(heartbeat, watch, judges)
    return Cluster(
        keys=links.keys,
        heartbeat=heartbeat,
        attendance=attendance,
        departures=departures,
        guests=_guest_places(settings, links, access, heartbeat),
        presence=presence,
        watch=watch,
        revocations=revocations,
        readiness=readiness,
        status=_status(settings, links, heartbeat, watch, readiness),
    )


def _attendance(
    settings: Settings, links: Backends, rooms: Rooms, heartbeat: HeartbeatMonitor
) -> tuple[Attendance, Departures]:
    counter = AttendanceBroker(links.pipe, links.keys, links.fence)
    attendance = Attendance(counter, heartbeat.incarnation)
    rooms.hub.on_put_out = attendance.was_put_out
    departures = Departures(
        attendance, counter, heartbeat, rooms.publisher, links.fence, settings.broadcast_limit
    )
    return attendance, departures


def _guest_places(
    settings: Settings, links: Backends, access: Access, heartbeat: HeartbeatMonitor
) -> GuestPlaces:
    return GuestPlaces(
        GuestBroker(links.pipe, links.keys),
        access.guest_bans,
        heartbeat,
        access.trail,
        settings.guests_per_address,
    )


def _presence(settings: Settings, rooms: Rooms, heartbeat: HeartbeatMonitor) -> Presence:
    presence = Presence(
        *(rooms.fan_out, heartbeat, rooms.publisher, rooms.chats.partners),
        settings.broadcast_limit,
        settings.max_page,
    )
    rooms.follower.on_new_chat = presence.chat_created
    return presence


def _partition_watch(
    settings: Settings,
    links: Backends,
    check: EpochCheck,
    rooms: Rooms,
    heartbeat: HeartbeatMonitor,
) -> PartitionWatch:
    async def reconnect_to_broker() -> None:
        rooms.hub.renew()
        await links.reconnect_to_broker()

    watch = PartitionWatch(
        probe=PartitionProbe(links.reads, links.keys, links.fence),
        membership=_membership(links, heartbeat),
        check=check,
        keys=links.keys,
        settings=settings,
        opened=rooms.hub.opened,
        left_behind=reconnect_to_broker,
    )
    rooms.directory.names.all_know_forms = lambda: watch.all_know_schema(FORMS_SINCE_MIGRATION)
    return watch


def _membership(links: Backends, heartbeat: HeartbeatMonitor) -> Membership:
    return Membership(
        links.reads,
        links.keys,
        heartbeat.incarnation,
        "gateway",
        schema=SCHEMA,
        database=links.installation.stored_in,
    )


def _status(
    settings: Settings,
    links: Backends,
    heartbeat: HeartbeatMonitor,
    watch: PartitionWatch,
    readiness: Readiness,
) -> ClusterStatus:
    return ClusterStatus(
        settings.gateway_name,
        ClusterInspector(links.client, links.keys),
        links.reader,
        heartbeat,
        watch,
        readiness,
        data_dir=Path(settings.data_dir),
    )
