"""Whose pages may talk to a gateway."""

import pytest

from shared.origins import Origins

HOST = "chat.example:8443"

ALLOWED = [
    ("https://app.example", "https://app.example"),
    ("https://a.example,https://app.example", "https://app.example"),
    ("self", "https://chat.example:8443"),
    ("self", "http://chat.example:8443"),
    ("loopback", "http://localhost:5173"),
    ("loopback", "http://127.0.0.1"),
    ("loopback", "http://[::1]:3000"),
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
]


@pytest.mark.parametrize(("setting", "origin"), ALLOWED)
def test_allowed(setting: str, origin: str) -> None:
    """What the list names may ask."""
    assert Origins.parse(setting).allow(origin, HOST)


@pytest.mark.parametrize(("setting", "origin"), REFUSED)
def test_refused(setting: str, origin: str) -> None:
    """An origin that is like one of the list, but not the same, may not ask."""
    assert not Origins.parse(setting).allow(origin, HOST)
