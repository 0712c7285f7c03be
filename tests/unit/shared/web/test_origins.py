"""Whose pages may talk to a gateway."""

import re

import pytest

from shared.web.origins import Origins

HOST = "chat.example:8443"

ALLOWED = [
    ("https://app.example", "https://app.example"),
    ("https://a.example,https://app.example", "https://app.example"),
    ("self", "https://chat.example:8443"),
    ("self", "http://chat.example:8443"),
    ("loopback", "http://localhost:5173"),
    ("loopback", "http://127.0.0.1"),
    ("loopback", "http://[::1]:3000"),
    *(
        (f"https://app.example,{own}", own)
        for own in (
            "capacitor://localhost",
            "ionic://localhost",
            "tauri://localhost",
            "https://tauri.localhost",
            "app://-",
            "app://org.example.chat",
        )
    ),
    ("https://*.example.org", "https://a.example.org"),
    ("https://*.example.org", "https://b.a.example.org"),
    ("http://*.example.org:8443", "http://a.example.org:8443"),
    ("https://*.bücher.example", "https://a.xn--bcher-kva.example"),
    ("https://Bücher.example", "https://xn--bcher-kva.example"),
    ("HTTPS://App.Example:443", "https://app.example"),
    ("http://app.example:80", "http://app.example"),
    ("*", "https://anybody.example"),
    ("*", "null"),
]

REFUSED = [
    ("https://app.example", "null"),
    ("https://app.example", ""),
    ("https://app.example", "https://app.example.evil.example"),
    ("https://app.example", "https://evil-app.example"),
    ("https://app.example", "https://app.exampl"),
    ("https://app.example", "https://app.example:444"),
    ("https://app.example", "http://app.example"),
    ("https://app.example", "https://app.example/"),
    ("https://app.example", "https://user@app.example"),
    ("https://app.example", "HTTPS://APP.EXAMPLE"),
    ("https://app.example", "https://app.example,https://app.example"),
    ("https://app.example", "https://chat.example:8443"),  # a list without `self` means it
    ("self", "https://chat.example"),
    ("self", "https://chat.example:8443.evil.example"),
    ("self", "file://chat.example:8443"),
    ("self", "self"),
    ("loopback", "http://localhost.evil.example"),
    ("loopback", "http://127.0.0.1.evil.example"),
    ("loopback", "loopback"),
    ("loopback", "http://[::1"),
    ("loopback", "http://[::1].evil.example"),
    ("loopback", "http://evil.example[::1]"),
    ("loopback", "http://localhost:"),
    ("loopback", "http://localhost:99999"),
    ("", "https://chat.example:8443"),
    ("capacitor://localhost", "http://localhost"),
    ("capacitor://localhost", "ionic://localhost"),
    ("loopback", "capacitor://localhost"),
    ("https://*.example.org", "https://example.org"),
    ("https://*.example.org", "https://evilexample.org"),
    ("https://*.example.org", "https://a.example.org.evil.example"),
    ("https://*.example.org", "https://a.example.org:444"),
    ("https://*.example.org", "http://a.example.org"),
    ("https://*.example.org", "https://user@a.example.org"),
    ("https://*.example.org:8443", "https://a.example.org"),
]

NO_ORIGINS = {
    "null": "null is the origin of every sandboxed frame",
    "file://": "any file could connect",
    "wss://chat.example": "pages have the origin https://",
    "chat.example": "it needs a scheme",
    "*.example.org": "it needs a scheme",
    "https://chat.example/": "write https://chat.example",
    "https://chat.example/app": "write https://chat.example",
    "capacitor://localhost/": "write capacitor://localhost",
    "capacitor://": "needs a host",
    "capacitor://*": "without wildcards",
    "https://*": "a wildcard is the whole first label",
    "https://a.*.example.org": "a wildcard is the whole first label",
    "https://*app.example.org": "a wildcard is the whole first label",
    "https://*.example.org:*": "a wildcard is the whole first label",
    "https://*.org": "two labels or more",
    "https://*.127.0.0.1": "two labels or more",
    "https://app..example": "its host or port cannot be",
    "https://app.example:0": "its host or port cannot be",
    "https://user@app.example": "its host or port cannot be",
}


@pytest.mark.parametrize(("setting", "origin"), ALLOWED)
def test_allowed(setting: str, origin: str) -> None:
    """What the list names may ask."""
    assert Origins.parse(setting).allow(origin, HOST)


@pytest.mark.parametrize(("setting", "origin"), REFUSED)
def test_refused(setting: str, origin: str) -> None:
    """An origin that is like one of the list, but not the same, may not ask."""
    assert not Origins.parse(setting).allow(origin, HOST)


def test_own_host_below_an_allowed_domain() -> None:
    """The gateway's own host is one of all hosts below a domain, with or without `self`."""
    origins = Origins.parse("https://*.example.org")
    assert origins.allow("https://chat.example.org", "chat.example.org")


@pytest.mark.parametrize("part", NO_ORIGINS)
def test_what_is_no_origin(part: str) -> None:
    """A part of the list that browsers never send is refused, with what to write instead."""
    with pytest.raises(ValueError, match=re.escape(part)) as caught:
        Origins.parse(f"self,{part}")
    assert NO_ORIGINS[part] in str(caught.value)


def test_public_origins_are_own() -> None:
    """`self` stands for the public URLs, too, whatever host a proxy asks for."""
    public = ["https://chat.example.org"]
    assert Origins.parse("self", public).allow("https://chat.example.org", "127.0.0.1:8081")
    assert not Origins.parse("self", public).allow("http://chat.example.org", "127.0.0.1:8081")
    assert not Origins.parse("loopback", public).allow("https://chat.example.org", HOST)
