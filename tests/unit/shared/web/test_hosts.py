"""By which hosts a server may be asked."""

import pytest

from shared.web.hosts import Hosts, PublicUrls, host_name

CHAT = "https://chat.example.org"
LOOPBACK = ["127.0.0.1"]
OPEN = ["127.0.0.1", "0.0.0.0"]  # noqa: S104 - not bound

ALLOWED = [
    ("", LOOPBACK, "localhost:8080"),
    ("", LOOPBACK, "LOCALHOST."),
    ("", LOOPBACK, "app.localhost"),
    ("", LOOPBACK, "127.0.0.1:8080"),
    ("", LOOPBACK, "127.1.2.3"),
    ("", LOOPBACK, "[::1]:8080"),
    ("", LOOPBACK, "[::ffff:127.0.0.1]"),
    ("", OPEN, "192.0.2.7:8080"),
    ("", OPEN, "[2001:db8::1]"),
    ("", OPEN, "localhost"),
    ("", ["192.0.2.7"], "192.0.2.7"),
    ("", ["chat.lan"], "Chat.lan:8080"),
    (CHAT, OPEN, "chat.example.org"),
    (CHAT, OPEN, "chat.example.org:8443"),
    (CHAT, OPEN, "CHAT.example.org."),
    (CHAT, OPEN, "localhost"),
    (CHAT, LOOPBACK, "chat.example.org"),
    (f"{CHAT}/, http://10.0.0.7:8080", ["0.0.0.0"], "10.0.0.7"),  # noqa: S104
    ("http://[2001:DB8:0:0::1]:8080", OPEN, "[2001:db8::1]:8080"),
    ("https://bücher.example", OPEN, "xn--bcher-kva.example"),
]

REFUSED = [
    ("", LOOPBACK, "evil.example"),
    ("", LOOPBACK, "evil.example:8080"),
    ("", LOOPBACK, "127.0.0.1.evil.example"),
    ("", LOOPBACK, "localhost.evil.example"),
    ("", LOOPBACK, "evillocalhost"),
    ("", LOOPBACK, "2130706433"),
    ("", LOOPBACK, "192.0.2.7"),
    ("", LOOPBACK, "0.0.0.0"),  # noqa: S104
    ("", OPEN, "evil.example"),
    ("", OPEN, "chat"),
    ("", ["192.0.2.7"], "localhost"),
    (CHAT, OPEN, "evil.example"),
    (CHAT, OPEN, "a.chat.example.org"),
    (CHAT, OPEN, "example.org"),
    (CHAT, OPEN, "192.0.2.7"),
    (CHAT, ["192.0.2.7"], "192.0.2.7"),
    (CHAT, ["chat.lan"], "chat.lan"),
    (CHAT, LOOPBACK, "192.0.2.7"),
]

MALFORMED = [
    [],
    ["localhost", "localhost"],
    [""],
    ["."],
    [":8080"],
    ["local host"],
    ["localhost:http"],
    ["localhost:123456"],
    ["user@localhost"],
    ["localhost/"],
    ["localhost,localhost"],
    ["http://localhost"],
    ["::1"],
    ["[::1"],
    ["[::1]x"],
    ["[:::]"],
    ["[localhost]"],
    ["b\xfccher.example"],
    ["a" * 300],
]

WRONG_URLS = {
    "chat.example.org": "begins with http:// or https://",
    "ftp://chat.example.org": "begins with http:// or https://",
    "capacitor://localhost": "begins with http:// or https://",
    "self": "begins with http:// or https://",
    "https://*.example.org": "has one host",
    "https://chat.example.org/chat": "nothing may follow the host",
    "https://chat.example.org?x": "nothing may follow the host",
    "https://": "its host or port cannot be",
    "https://chat.example.org:99999": "its host or port cannot be",
    f"{CHAT};{CHAT}": "nothing may follow the host",
}


@pytest.mark.parametrize(("public", "listens", "host"), ALLOWED)
def test_a_host_that_is_allowed(public: str, listens: list[str], host: str) -> None:
    """A server answers for its public hosts, for loopback, and for addresses if it is open."""
    name = host_name([host])
    assert name is not None
    assert Hosts(PublicUrls.parse(public), listens).allow(name)


@pytest.mark.parametrize(("public", "listens", "host"), REFUSED)
def test_a_host_that_is_refused(public: str, listens: list[str], host: str) -> None:
    """A server answers for no name that it was not told of, and for no address it does not have."""
    name = host_name([host])
    assert name is not None
    assert not Hosts(PublicUrls.parse(public), listens).allow(name)


@pytest.mark.parametrize("values", MALFORMED)
def test_what_is_no_host(values: list[str]) -> None:
    """A request has one Host header, with one host."""
    assert host_name(values) is None


@pytest.mark.parametrize("url", WRONG_URLS)
def test_what_is_no_public_url(url: str) -> None:
    """A PUBLIC_URL that cannot be is refused with what is wrong with it."""
    with pytest.raises(ValueError, match=WRONG_URLS[url]):
        PublicUrls.parse(f"{CHAT},{url}")


def test_hosts_that_speak_tls_only() -> None:
    """Browsers are told to use https for hosts whose every URL is one of https."""
    public = PublicUrls.parse(f"{CHAT},https://both.example,http://both.example:8080")
    assert public.secure_names == {"chat.example.org"}
