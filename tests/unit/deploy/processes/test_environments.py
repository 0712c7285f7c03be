"""The environments of the processes of a cluster."""

import ast
from pathlib import Path

import pytest

from deploy.data_dir import DataDir
from deploy.ports import PortPlan
from deploy.processes.environments import Environments
from deploy.settings import Settings
from shared.config import Settings as ProcessSettings
from shared.config import load
from shared.config.readers import READ_BY_PERSISTERS, read_by
from tests.support.process import ROOT

DERIVED = {
    "database": {"database_url", "data_dir"},
    "backlog_of": {"max_backlog"},
}
"""Settings that properties of the settings stand for."""

BY_COMMANDS = {"AUTH_MODE", "JWT_MAX_HOURS"}
"""Settings that only commands of the operator read."""

SHARED_WITH_GATEWAYS = (
    "shared/broker",
    "shared/storage",
    "shared/operator",
    "shared/trail",
    "shared/telemetry.py",
)


def environments(folder: Path, settings: Settings, **given: str) -> Environments:
    """The environments of a cluster in a folder."""
    data_dir = DataDir(folder)
    data_dir.claim("x")
    environ = {"PATH": "/bin", "JWT_KEY": "k", "BATCH_SIZE": "7", "GATEWAYS": "3", **given}
    return Environments(settings, environ, PortPlan(settings), data_dir, "redis://127.0.0.1")


def read_in(*places: str) -> set[str]:
    """The names of settings that source files read, by attributes of something named settings."""
    files = [file for each in places for file in ((ROOT / each).rglob("*.py"))]
    files += [ROOT / each for each in places if each.endswith(".py")]
    found = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith("settings"):
                found |= DERIVED.get(node.attr, {node.attr})
    return found & set(ProcessSettings.__struct_fields__)


def test_a_persister_gets_what_its_code_reads() -> None:
    """Every setting that the code of persisters reads is in their environment."""
    read = {name.upper() for name in read_in("persister", *SHARED_WITH_GATEWAYS)} - BY_COMMANDS
    assert len(read) > 15
    assert read - read_by("persister") == set()


def test_a_gateway_gets_what_its_code_reads() -> None:
    """What only persisters get, no code of gateways reads."""
    assert not {name.upper() for name in read_in("gateway")} & READ_BY_PERSISTERS


def test_others_get_none_of_it(tmp_path: Path) -> None:
    """Redis and the load balancer get no setting, and all keep what is none of ours."""
    made = environments(tmp_path, Settings())
    assert made.of_servers() == {"PATH": "/bin"}
    assert made.of_persisters()["PATH"] == made.of_gateways()["PATH"] == "/bin"
    assert "JWT_KEY" not in made.of_persisters()
    assert not {"BATCH_SIZE", "GATEWAYS"} & made.of_gateways().keys()
    assert made.of_persisters()["BATCH_SIZE"] == "7"


@pytest.mark.parametrize("given", ["", " ", '""', "''"])
def test_security_events_have_a_file(tmp_path: Path, given: str) -> None:
    """Without a path in SECURITY_LOG, also with quotes around nothing, it is in the data folder."""
    made = environments(tmp_path, Settings(), SECURITY_LOG=given)
    for environ in (made.of_gateways(), made.of_persisters()):
        assert environ["SECURITY_LOG"] == str(tmp_path / "log" / "security.log")


@pytest.mark.parametrize(
    ("host", "trusted"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("192.0.2.7", "192.0.2.7")],  # noqa: S104
)
def test_gateways_trust_their_load_balancer(tmp_path: Path, host: str, trusted: str) -> None:
    """Gateways believe the address from which the load balancer connects to them."""
    settings = Settings(gateway_host=host, host="198.51.100.1")
    found = environments(tmp_path, settings).of_gateways()["TRUSTED_PROXIES"]
    assert found == f"127.0.0.0/8,::1,{trusted}"


@pytest.mark.parametrize(
    ("settings", "environ", "limited"),
    [
        (Settings(), {}, False),
        (Settings(host="192.0.2.1"), {}, True),
        (Settings(gateway_host="192.0.2.1"), {}, True),
        (Settings(admin_host="192.0.2.1"), {}, False),
        (Settings(host="192.0.2.1"), {"RATE_LIMITS": "off"}, False),
        (Settings(), {"AUTH_MODE": "jwt"}, True),
    ],
)
def test_rates_are_limited_where_strangers_come(
    tmp_path: Path, settings: Settings, environ: dict[str, str], *, limited: bool
) -> None:
    """Rates are limited where strangers can reach the load balancer or a gateway."""
    found = environments(tmp_path, settings).of_gateways()
    assert load(ProcessSettings, {**found, "JWT_KEY": "", **environ}).limited is limited
