"""What load balancers say of themselves."""

from pathlib import Path

import pytest

from deploy.servers.builds import Component, numbers, read_build, read_go, read_haproxy
from tests.unit.deploy.servers.test_balancer_program import program

CAPTURED = Path(__file__).parent / "captured"

# What HAProxy 3 prints where it is linked to another library than OpenSSL.
AWS_LC = """\
HAProxy version 3.3.10-0+ha33+ubuntu24.04u1 2026/05/20 - https://haproxy.org/
Built with SSL library version : OpenSSL 1.1.1 (compatible; AWS-LC 3.3.0)
Running on SSL library version : AWS-LC 3.3.0
SSL library supports : TLSv1.0 TLSv1.1 TLSv1.2 TLSv1.3
Built with Lua version : Lua 5.4.7
Built with PCRE2 version : 10.42 2022-12-11
"""


def captured(name: str) -> str:
    """Return what a real program printed."""
    return (CAPTURED / name).read_text()


def test_the_haproxy_of_the_wheel() -> None:
    """Its libraries are read with the versions on which it runs."""
    build = read_haproxy(captured("haproxy-2.8-wheel.txt"))
    assert build is not None
    assert (build.version, build.numbers) == ("2.8.25-5cf5d0683", (2, 8, 25))
    assert set(map(str, build.components)) == {
        "OpenSSL 3.0.15",
        "Lua 5.4.7",
        "zlib 1.2.13",
        "PCRE 8.32",
    }


@pytest.mark.parametrize(
    ("name", "version", "libraries"),
    [
        ("haproxy-2.6-debian.txt", "2.6.12-1+deb12u3", {"OpenSSL 3.0.19", "PCRE2 10.42"}),
        ("haproxy-3.0-debian.txt", "3.0.11-1+deb13u4", {"OpenSSL 3.5.9", "PCRE2 10.46"}),
    ],
)
def test_the_haproxy_of_debian(name: str, version: str, libraries: set[str]) -> None:
    """A shared library that was renewed after HAProxy was built counts as it is now."""
    build = read_haproxy(captured(name))
    assert build is not None
    assert build.version == version
    assert libraries < set(map(str, build.components))


def test_a_haproxy_with_another_tls_library() -> None:
    """A library is called by its own name, not by that of the one it stands for."""
    build = read_haproxy(AWS_LC)
    assert build is not None
    assert build.tls
    assert list(map(str, build.components)) == ["AWS-LC 3.3.0", "Lua 5.4.7", "PCRE2 10.42"]


def test_a_haproxy_without_tls() -> None:
    """One that was built without TLS is known as such."""
    build = read_haproxy(
        "HA-Proxy version 2.1.3 2020/02/12\nBuilt without OpenSSL support (USE_OPENSSL not set)\n"
    )
    assert build is not None
    assert (build.version, build.tls) == ("2.1.3", False)


def test_the_caddy_of_the_wheel() -> None:
    """Go itself and every module are read; a module that was replaced is the one in its place."""
    shown = captured("caddy-2.11-wheel.txt")
    build = read_go(shown, "github.com/caddyserver/caddy/v2")
    assert build is not None
    assert build.version == "2.11.7"
    assert build.components[0] == Component("Go", "1.26.8")
    assert Component("github.com/quic-go/quic-go", "0.63.0") in build.components
    replaced = read_go(f"{shown}dep\tone\tv1.0.0\n=>\tother\tv2.0.0\th1:x=\n", "one")
    assert replaced is not None
    assert replaced.components[-1] == Component("other", "2.0.0")


@pytest.mark.parametrize("shown", ["", "usage: haproxy [options]", "HAProxy version\n"])
def test_what_is_something_else(shown: str) -> None:
    """What does not say that it is HAProxy, or that Go built it, is neither."""
    assert read_haproxy(shown) is None
    assert read_go(shown, "caddy") is None


def test_a_program_that_cannot_be_run(tmp_path: Path) -> None:
    """A program that fails, or is none, is known as one that cannot be used."""
    broken = tmp_path / "haproxy"
    broken.write_bytes(b"\x7fELF of another machine")
    broken.chmod(0o755)
    assert read_build("haproxy", str(broken)) is None
    assert read_build("haproxy", str(tmp_path / "nowhere")) is None
    assert read_build("haproxy", program(tmp_path, "failing", "HAProxy version 3.2.0", 1)) is None


def test_numbers_of_versions() -> None:
    """Versions compare by their numbers, whatever stands behind these."""
    assert numbers("2.6.12-1+deb12u3") == (2, 6, 12)
    assert numbers("3.0-dev5") == (3, 0)
    assert numbers("1.1.1w") == (1, 1, 1)
    assert numbers("unknown") == ()
