"""The persister's loop: read streams, store and trim entries, open closed partitions."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from time import monotonic, time
from typing import Final, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from persister.batch import Batch, Unreadable, furthest, make_batch
from persister.dead_letter import BatchSalvage
from persister.leases import Leases
from persister.ownership import PartitionOpener
from persister.writer import OUTAGE, Claim, LostPartition, Refused, Writer
from shared.broker.partitions.partitions import Head, PartitionBroker
from shared.broker.partitions.rows import Entry
from shared.broker.partitions.stream import StreamReader
from shared.broker.transport.client import UNAVAILABLE
from shared.config import ConfigError, Settings
from shared.metrics import LATENCIES, SIZES, Counter, Gauge, Histogram
from shared.telemetry import OutageLog, logger

CHECK_INTERVAL_SECONDS: Final = 0.5
"""Seconds between two checks that the partitions are still open in the broker."""

TRIM_INTERVAL_SECONDS: Final = 1.0
"""Seconds between two trims of room logs."""

STORED: Final = Counter("stored_entries", "Entries committed to SQL.")
BATCH: Final = Histogram("batch_entries", "Entries that shared a transaction.", SIZES)
SECONDS: Final = Histogram("store_seconds", "How long a transaction took.", LATENCIES)
STORE_LAG: Final = Histogram(
    "stored_after_seconds", "How long after it was accepted a batch's oldest was stored.", LATENCIES
)
OUTAGES: Final = Counter("outages", "Tries that ended because the broker or SQL was away.")

T = TypeVar("T")
log = logger(__name__)


class Worker:
    """Stores the events of the partitions it owns."""

    def __init__(
        self,
        settings: Settings,
        leases: Leases,
        opener: PartitionOpener,
        broker: PartitionBroker,
        reader: StreamReader,
        writer: Writer,
        salvage: BatchSalvage,
    ) -> None:
        self._settings = settings
        self._leases = leases
        self._opener = opener
        self._broker = broker
        self._reader = reader
        self._writer = writer
        self._salvage = salvage
        self._claims: dict[int, Claim] = {}
        self._stop = asyncio.Event()
        self._next_check = 0.0
        self._next_sweep = 0.0
        self._oldest_accepted_at: int | None = None  # of the entries being stored, Unix ms
        # Rooms whose logs may have grown too long, and how far each is stored.
        self._untrimmed: dict[Claim, dict[str, Head]] = {}
        self._next_trim = 0.0
        self._outage = OutageLog(log, "broker or database away, trying again", "both are back")

    @property
    def backlog(self) -> dict[int, int]:
        """The number of entries of each owned partition that are not stored, at the last check."""
        claims = list(self._claims.values())
        return {c.number: max(0, self._opener.last.get(c.number, 0) - c.position) for c in claims}

    @property
    def lag(self) -> float:
        """Seconds since the oldest entry that is being stored was accepted."""
        accepted = self._oldest_accepted_at
        return max(0.0, time() - accepted / 1000) if accepted is not None else 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, and finish the batch that is under way then.

        Raises:
            ConfigError: this process may not work with the data any more.
        """
        try:
            # A group, so that the process ends if the task that renews its leases fails.
            async with asyncio.TaskGroup() as group:
                group.create_task(self._leases.run(), name="leases")
                waking = group.create_task(self._stop_with(stop), name="stop")
                try:
                    while not self._stop.is_set():
                        await self._retry_outages(self._step)
                finally:
                    self._leases.end()
                    waking.cancel()
        except ExceptionGroup as group:
            config_errors = group.subgroup(ConfigError)
            raise (config_errors.exceptions[0] if config_errors else group) from None
        finally:
            with contextlib.suppress(*UNAVAILABLE):
                await self._leases.leave()

    async def _stop_with(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._stop.set()
        self._leases.changed.set()

    async def _step(self) -> None:
        await self._apply_leases()
        if not self._claims:
            self._leases.changed.clear()
            if not self._leases.wanted and not self._stop.is_set():
                await self._leases.changed.wait()
            return
        await self._maintain()
        if self._claims and (found := await self._gather()):
            await self._store({self._claims[n]: rows for n, rows in found.items()})

    async def _apply_leases(self) -> None:
        """Give back partitions beyond our share, and claim those whose lease was taken."""
        wanted = self._leases.wanted
        # Surplus leases are released also if this worker never claimed them: one that was taken
        # and became surplus during a long batch would be renewed and never used.
        for number in (self._claims.keys() | self._leases.surplus) - wanted:
            self._claims.pop(number, None)
            await self._leases.release(number)
        taken = sorted(wanted - self._claims.keys())
        for number in taken:
            claim = await self._opener.claim(number)
            await self._opener.finish_trimming(claim)
            self._claims[number] = claim
            self._next_check = 0.0
        if taken:
            log.info("partitions taken", partitions=taken)

    async def _maintain(self) -> None:
        """Open closed partitions, trim logs and evict idle rooms, each at its own interval."""
        now = asyncio.get_running_loop().time()
        if now >= self._next_check:
            claims = list(self._claims.values())
            checks = (self._opener.is_open(c, self._leases.all_read(c.number)) for c in claims)
            found = await asyncio.gather(*checks)
            closed = [claim for claim, is_open in zip(claims, found, strict=True) if not is_open]
            for claim in closed:
                await self._open(claim)
            if closed:
                epochs = {claim.number: claim.epoch for claim in closed}
                log.info("partitions opened in a new epoch", epochs=epochs)
            self._next_check = now + CHECK_INTERVAL_SECONDS
        if self._untrimmed and now >= self._next_trim:
            await self._trim((), [])
        if now >= self._next_sweep:
            for number in self._claims:
                await self._broker.evict_idle(number)
            self._next_sweep = now + min(60.0, self._settings.room_idle / 4)

    async def _open(self, claim: Claim) -> None:
        """Store the surviving entries of a partition, then open it in a new epoch."""
        try:
            while not self._stop.is_set() and not await self._try_to_open(claim):
                pass  # the broker's data changed meanwhile
        except LostPartition:
            self._drop_claim(claim.number)

    async def _try_to_open(self, claim: Claim) -> bool:
        await self._writer.check(claim)
        seen = await self._opener.close(claim)
        while not self._stop.is_set():
            entries = await self._opener.surviving_entries(claim, self._settings.batch_size)
            if not entries:
                break
            await self._store({claim: entries}, trim=False)
            if claim.number not in self._claims:
                return True  # another owner has the partition, and opens it
        return not self._stop.is_set() and await self._opener.open(claim, seen)

    async def _gather(self) -> dict[int, list[Entry]]:
        """Wait for entries, then up to BATCH_AGE for more to share the transaction."""
        limit = self._settings.batch_size
        positions = {number: claim.position for number, claim in self._claims.items()}
        found = await self._reader.read(positions, limit)
        if found and sum(map(len, found.values())) < limit:
            # A transaction for every few entries would cost more CPU than everything else.
            await asyncio.sleep(self._settings.batch_age)
            positions |= {number: rows[-1].counter for number, rows in found.items()}
            for number, rows in (await self._reader.read(positions, limit, block=0)).items():
                found.setdefault(number, []).extend(rows)
        return found

    async def _store(self, found: Mapping[Claim, list[Entry]], *, trim: bool = True) -> None:
        """Store entries of some partitions, except those that another owner has taken."""
        left = dict(found)
        store = partial(self._store_once, left, trim=trim)
        while left:
            try:
                return await self._retry_outages(store)
            except LostPartition as lost:
                self._drop_claim(lost.number)
                for claim in [claim for claim in left if claim.number == lost.number]:
                    del left[claim]
        return None

    async def _store_once(self, found: Mapping[Claim, list[Entry]], *, trim: bool) -> None:
        # A former try may have stored some already: BatchSalvage commits in several transactions.
        fresh = {
            claim: left
            for claim, rows in found.items()
            if (left := [row for row in rows if row.counter > claim.position])
        }
        stored: list[tuple[Claim, Batch]]
        try:
            stored = [(claim, make_batch(rows, claim.epoch)) for claim, rows in fresh.items()]
            accepted = filter(None, (batch.oldest for _, batch in stored))
            self._oldest_accepted_at = min(accepted, default=None)
            began = monotonic()
            await self._writer.store(stored)
            SECONDS.observe(monotonic() - began)
        except (Refused, Unreadable) as error:
            log.warning("batch refused", reason=str(error))
            stored = []
            for claim, rows in fresh.items():
                stored += [(claim, part) for part in await self._salvage.store(claim, rows)]
        self._count(sum(len(batch.entries) for _, batch in stored))
        if trim:
            await self._trim(found.keys(), stored)

    def _count(self, entries: int) -> None:
        STORED.value += entries
        BATCH.observe(entries)
        if self._oldest_accepted_at is not None:
            STORE_LAG.observe(self.lag)
        self._oldest_accepted_at = None

    async def _trim(self, claims: Iterable[Claim], stored: list[tuple[Claim, Batch]]) -> None:
        """Tell the broker the positions of partitions, and once a second trim room logs."""
        created: dict[Claim, list[str]] = {claim: [] for claim in claims}
        for claim, batch in stored:
            created[claim] += batch.created
            heads = self._untrimmed.setdefault(claim, {})
            for key, head in batch.heads.items():
                heads[key] = furthest(heads.get(key), head)
        now = asyncio.get_running_loop().time()
        logs: dict[Claim, dict[str, Head]] = {}
        if now >= self._next_trim:
            logs, self._untrimmed = self._untrimmed, {}
            self._next_trim = now + TRIM_INTERVAL_SECONDS
        # If the broker is away, the next call trims this too, or the partition opens anew.
        calls = [
            self._broker.committed(
                c.number, c.epoch, c.position, logs.get(c, {}), created.get(c, [])
            )
            for c in {*created, *logs}
        ]
        with contextlib.suppress(*UNAVAILABLE):
            await asyncio.gather(*calls)

    def _drop_claim(self, number: int) -> None:
        log.warning("partition lost", partition=number)
        self._oldest_accepted_at = None
        self._claims.pop(number, None)
        self._leases.lose(number)

    async def _retry_outages(self, work: Callable[[], Awaitable[T]]) -> T | None:
        """Repeat `work` while the broker or the database is away, until it succeeds or `stop`."""
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type((*UNAVAILABLE, *OUTAGE)),
            wait=wait_exponential_jitter(multiplier=0.05, max=1.0, jitter=0.1),
            stop=lambda _state: self._stop.is_set(),
            before_sleep=self._note_outage,
            retry_error_callback=lambda _state: None,
        ):
            with attempt:
                done = await work()
                self._outage.succeeded()
                self._leases.report_outage("")
                return done
        return None

    def _note_outage(self, state: RetryCallState) -> None:
        OUTAGES.value += 1
        self._outage.failed(error := state.outcome.exception() if state.outcome else None)
        self._leases.report_outage("" if isinstance(error, UNAVAILABLE) else self._outage.reason)


def show_gauges(worker: Worker) -> None:
    """Register this persister's gauges: owned partitions, backlog and lag."""

    def backlog() -> dict[str, float]:
        return {str(number): count for number, count in worker.backlog.items()}

    Gauge("partitions_owned", "Partitions that are ours.", lambda: len(worker.backlog))
    Gauge("storage_backlog", "Entries of our partitions not stored.", backlog, "partition")
    Gauge("storage_lag_seconds", "How long the oldest of them has waited.", lambda: worker.lag)
