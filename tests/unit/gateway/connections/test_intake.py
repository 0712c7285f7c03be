"""The budget of what a connection sends."""

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.connections.intake import ADDRESS_SHARE, Budget, Intake, IntakeRates, Intakes
from shared.rates import Rate

RATES = IntakeRates(Rate.parse("1000/1s:4000"), Rate.parse("10/1s:40"), Rate.parse("1/1h:3"))
NEVER = IntakeRates(Rate.parse("1/1h:100"), Rate.parse("1/1h:100"), Rate.parse("1/1h:3"))


def test_a_burst_costs_no_wait() -> None:
    """Who stays within the burst, of bytes and of packets, does not wait; then they do."""
    intake = Intakes(NEVER._replace(packets=Rate.parse("1/1h:40"))).open("192.0.2.1")
    assert [intake.take(1, 1) for _ in range(40)] == [0.0] * 40
    assert intake.take(1, 1) > 0.0


@pytest.mark.parametrize(("size", "packets", "owed"), [(5000, 1, 1.0), (1, 60, 2.0)])
def test_a_wait_lasts_until_nothing_is_owed(size: int, packets: int, owed: float) -> None:
    """A debt of bytes or of packets is waited for exactly, and then it is paid off."""
    now = time.monotonic()
    budget = Budget(RATES)
    budget.bytes, budget.packets = 4000 - size, 40 - packets
    assert budget.refill(now) == pytest.approx(owed, abs=0.1)
    wait = budget.refill(now + owed / 2)
    assert wait == pytest.approx(owed / 2, abs=0.1)
    assert budget.refill(now + owed / 2 + wait) == pytest.approx(0.0, abs=1e-6)


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(0, 3000), st.integers(0, 30)), max_size=60))
def test_the_rate_holds_in_the_long_run(events: list[tuple[float, int, int]]) -> None:
    """However a client spreads what it sends, no more is read than the rate and two bursts."""
    now = begun = time.monotonic()
    budget = Budget(RATES)
    size = packets = 0
    for pause, more_bytes, more_packets in events:
        now += pause
        if budget.bytes < 0 or budget.packets < 0:
            now += budget.refill(now)
        budget.bytes -= more_bytes
        budget.packets -= more_packets
        size += more_bytes
        packets += more_packets
    elapsed = now - begun + 0.1
    assert size <= 2 * 4000 + 3000 + 1000 * elapsed
    assert packets <= 2 * 40 + 30 + 10 * elapsed


def test_an_address_shares() -> None:
    """All connections of an address share 16 times the budget of one; others have their own."""
    intakes = Intakes(NEVER)
    many = [
        intakes.open("2001:db8::1" if n % 2 else "2001:db8::2") for n in range(2 * ADDRESS_SHARE)
    ]
    waits = [intake.take(0, 90) for intake in many]
    assert sum(wait == 0.0 for wait in waits) == ADDRESS_SHARE * 100 // 90
    assert intakes.open("2001:db8::3").take(0, 1) > 0
    assert intakes.open("2001:db8:0:1::1").take(0, 1) == 0


def test_an_address_that_connects_again_owes_what_it_owed() -> None:
    """To close all connections and open new ones resets nothing."""
    intakes = Intakes(NEVER)
    assert intakes.open("192.0.2.1").take(0, ADDRESS_SHARE * 100 + 1) > 0
    assert intakes.open("192.0.2.1").take(0, 1) > 0


def test_too_many_refusals() -> None:
    """So many refusals are passed over as the rate says, then each is one too many."""
    intake = Intake(RATES, Budget(RATES, ADDRESS_SHARE))
    assert [intake.refuse() for _ in range(5)] == [False] * 3 + [True] * 2


def test_rates_are_exact() -> None:
    """A rate of bytes, which come in less than a microsecond each, is what it says."""
    assert math.isclose(Rate.parse("262144/1s:1048576").per_second, 262144)
    assert math.isclose(Rate.parse("9999999/500ms:1").per_second, 2 * 9999999)
