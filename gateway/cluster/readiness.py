"""Readiness of this gateway to carry messages."""

from gateway.access.revocations import Revocations
from gateway.cluster.heartbeat import HeartbeatMonitor
from gateway.cluster.partition_watch import PartitionWatch


class Readiness:
    """Combines the state of the broker, of the partitions, and of revocations.

    Attributes:
        draining: True once this gateway is being stopped.
    """

    def __init__(
        self,
        heartbeat: HeartbeatMonitor,
        watch: PartitionWatch,
        revocations: Revocations | None,
    ) -> None:
        """Combine.

        Args:
            heartbeat: knows whether the broker carries messages.
            watch: knows the partitions.
            revocations: without them no token can be judged; None where there are no tokens.
        """
        self._heartbeat = heartbeat
        self._watch = watch
        self._revocations = revocations
        self.draining = False

    @property
    def waits_for(self) -> str | None:
        """The missing part in a few words; None while the gateway is ready."""
        if self.draining:
            return "nothing: it is being stopped"
        if not self._heartbeat.is_fresh:
            return "the broker"
        if self._revocations is not None and not self._revocations.complete:
            return "the revoked tokens, which are in the database"
        if self._watch.closed_count is None:
            return "the state of the partitions"
        if self._watch.closed_count:
            return f"{self._watch.closed_count} partitions to be opened by a persister"
        return None
