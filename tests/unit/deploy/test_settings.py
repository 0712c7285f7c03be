"""The settings of the cluster."""

import pytest

from deploy.settings import Settings, parse
from shared.config import ConfigError


def test_nothing_needs_to_be_set() -> None:
    """An empty environment gives two gateways and a persister behind port 8080 on loopback."""
    settings = parse({})
    assert (settings.gateways, settings.persisters) == (2, 1)
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)


def test_variables_set_to_nothing_are_not_set() -> None:
    """An empty variable leaves the default as it is."""
    assert parse({"PORT": "", "REDIS_URL": ""}) == Settings()


def test_values_are_read_as_what_they_are() -> None:
    """Numbers in the environment become numbers."""
    settings = parse({"GATEWAYS": "3", "DRAIN_SECONDS": "2.5", "LOAD_BALANCER": "caddy"})
    assert (settings.gateways, settings.drain_seconds) == (3, 2.5)
    assert settings.load_balancer == "caddy"


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("GATEWAYS", "zero", "a whole number from 1 to 99"),
        ("GATEWAYS", "0", "a whole number from 1 to 99"),
        ("PERSISTERS", "-1", "a whole number from 1 to 99"),
        ("PORT", "99999", "a port number from 1 to 65535"),
        ("ADMIN_PORT", "x", "a port number from 1 to 65535"),
        ("LOAD_BALANCER", "nginx", "haproxy or caddy"),
        ("LOG_FORMAT", "xml", "text or json"),
        ("DRAIN_SECONDS", "0", "a number of seconds above 0"),
    ],
)
def test_a_bad_value_is_refused_in_one_sentence(name: str, value: str, wanted: str) -> None:
    """The sentence names the variable, the value it has and what it must be."""
    with pytest.raises(ConfigError) as refused:
        parse({name: value})
    assert str(refused.value).startswith(f"{name}={value} ")
    assert str(refused.value).endswith(wanted)
    assert "\n" not in str(refused.value)
