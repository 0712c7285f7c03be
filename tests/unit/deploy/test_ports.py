"""Where the processes of a cluster listen."""

import socket

import pytest
from msgspec.structs import replace

from deploy.ports import Address, PortPlan
from deploy.settings import Settings
from shared.config import ConfigError
from tests.support.ports import free_port

BLOCK = (0, 1, 2, 500, 1000, 1001, 1002, 1101)


def test_all_ports_follow_from_one() -> None:
    """PORT moves the gateways, Redis and the status pages along with the load balancer."""
    plan = PortPlan(Settings(port=9000))
    assert plan.balancer.url == "http://127.0.0.1:9000"
    assert [plan.gateway(1).port, plan.gateway(2).port] == [9001, 9002]
    assert (plan.redis.port, plan.admin.port) == (9500, 10000)
    assert (plan.gateway_admin(2).port, plan.persister_admin(1).port) == (10002, 10101)


def test_what_clients_do_not_need_stays_on_loopback() -> None:
    """HOST opens the load balancer to other machines, and nothing else."""
    plan = PortPlan(Settings(host="0.0.0.0"))  # noqa: S104  not bound
    assert plan.balancer.host == "0.0.0.0"  # noqa: S104
    ours = (plan.gateway(1), plan.redis, plan.admin, plan.gateway_admin(1), plan.persister_admin(1))
    assert {address.host for address in ours} == {"127.0.0.1"}


def test_each_kind_of_port_is_opened_by_its_own_setting() -> None:
    """GATEWAY_HOST opens the gateways, ADMIN_HOST the operator's ports, and nothing opens Redis."""
    plan = PortPlan(Settings(gateway_host="192.0.2.1", admin_host="::1"))
    assert plan.gateway(1).host == "192.0.2.1"
    operators = (plan.admin, plan.gateway_admin(1), plan.persister_admin(1))
    assert {address.host for address in operators} == {"::1"}
    assert {address.host for address in (plan.balancer, plan.redis)} == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("host", "shown", "reachable"),
    [
        ("127.0.0.1", "127.0.0.1:80", "127.0.0.1"),
        ("0.0.0.0", "0.0.0.0:80", "127.0.0.1"),  # noqa: S104  not bound
        ("::", "[::]:80", "::1"),
        ("::1", "[::1]:80", "::1"),
        ("localhost", "localhost:80", "localhost"),
    ],
)
def test_an_address_is_shown_and_reached(host: str, shown: str, reachable: str) -> None:
    """An IPv6 host is shown in brackets, and a wildcard is reached on loopback."""
    address = Address(host, 80)
    assert str(address) == shown
    assert address.reachable == Address(reachable, 80)


@pytest.mark.parametrize(
    ("settings", "setting"),
    [
        (Settings(port=64600), "PORT=64600"),
        (Settings(port=65535), "PORT=65535"),
        (Settings(admin_port=65500), "ADMIN_PORT=65500"),
    ],
)
def test_ports_past_the_last_are_refused(settings: Settings, setting: str) -> None:
    """A port so high that others derived from it do not exist is refused by its setting's name."""
    with pytest.raises(ConfigError, match=f"^{setting} is too high"):
        PortPlan(settings)


def test_ports_that_collide_are_refused() -> None:
    """An ADMIN_PORT among the ports of the gateways is refused."""
    with pytest.raises(ConfigError, match="would share port 8081"):
        PortPlan(Settings(admin_port=8081))


@pytest.mark.parametrize(
    ("offset", "name", "remedy"),
    [
        (0, "", "PORT="),
        (2, " (gateway-2)", "PORT="),
        (500, " (redis)", "PORT="),
        (1101, " (persister-1's metrics)", "PORT="),
    ],
)
def test_a_taken_port_is_named(offset: int, name: str, remedy: str) -> None:
    """Another program on a port is told of with the port, its use and the setting that moves it."""
    port = free_port(BLOCK)
    plan = PortPlan(Settings(port=port))
    assert plan.taken() is None
    with socket.create_server(("127.0.0.1", port + offset)):
        wanted = f"port {port + offset}{name} is taken by another program: choose another with "
        assert plan.taken() == wanted + remedy


def test_the_port_of_a_given_redis_may_be_taken() -> None:
    """Where REDIS_URL names a server, the embedded one's port is of no interest."""
    port = free_port(BLOCK)
    with socket.create_server(("127.0.0.1", port + 500)):
        assert PortPlan(Settings(port=port, redis_url="redis://elsewhere")).taken() is None


def test_a_host_of_another_machine_is_named() -> None:
    """An address that this machine does not have is told apart from a port that is taken."""
    for name in ("HOST", "GATEWAY_HOST", "ADMIN_HOST"):
        settings = replace(Settings(port=free_port(BLOCK)), **{name.lower(): "192.0.2.1"})
        with pytest.raises(ConfigError) as refused:
            PortPlan(settings).taken()
        assert str(refused.value) == f"{name}=192.0.2.1 is not an address of this machine"
