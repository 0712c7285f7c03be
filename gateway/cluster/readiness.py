"""Whether this gateway can carry messages now."""

from gateway.cluster.heartbeat import HeartbeatMonitor
from gateway.cluster.partition_watch import PartitionWatch


class Readiness:
    """What the pulse and the partitions say.

    Attributes:
        draining: this gateway is leaving.
    """

    def __init__(self, heartbeat: HeartbeatMonitor, watch: PartitionWatch) -> None:
        self._heartbeat = heartbeat
        self._watch = watch
        self.draining = False

    @property
    def waits_for(self) -> str | None:
        """What is missing, in a few words; None when nothing is."""
        if self.draining:
            return "nothing, it is leaving"
        if not self._heartbeat.is_fresh:
            return "the broker"
        if self._watch.closed_count is None:
            return "word of the partitions"
        if self._watch.closed_count:
            return f"{self._watch.closed_count} partitions to be opened by a persister"
        return None
