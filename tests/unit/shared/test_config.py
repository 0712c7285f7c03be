"""Settings from the environment."""

import json
from pathlib import Path

import msgspec
import pytest

from shared.config import ConfigError, Settings, incarnation, invalid, load, load_or_exit

BAD = {
    "PORT": ["0", "65536", "-1", "x", "80.5", "8 0"],
    "GATEWAY_NAME": ["a b", "ä", "x" * 65, "a/b", "a.b"],
    "PERSISTER_NAME": ["a b"],
    "PARTITIONS": ["0", "1025", "-1", "many"],
    "LOG_LENGTH": ["99", "100001", "x"],
    "ROOM_IDLE": ["0", "-1", "nan", "inf", "x"],
    "MAX_BACKLOG": ["999", "1000000", "x"],
    "MAX_CONTENT": ["0", "16001"],
    # Less than a millisecond cannot be told to the broker, nor can for ever.
    "DEDUPE_MINUTES": ["0", "-1", "nan", "0.00000001", "inf", "1e300"],
    "DRAIN_SECONDS": ["0", "-1", "inf"],
    "BROADCAST_LIMIT": ["-1"],
    "OUTBOX_LIMIT": ["65535"],
    "BATCH_SIZE": ["0", "10001"],
    "BATCH_AGE": ["-0.1", "5.1", "nan"],
    "SQLITE_SYNCHRONOUS": ["OFF", "full"],
    "LEASE_SECONDS": ["0.4", "61", "nan"],
    "TRUSTED_PROXIES": ["proxy.example", "10.0.0.1/8", "*"],
    "ALLOWED_ORIGINS": ["null", "chat.example", "https://chat.example/", "https://a.example, b"],
    "PUBLIC_URL": ["chat.example", "ftp://chat.example", "https://chat.example/chat", "*"],
    "RATE_LIMITS": ["yes"],
    "RATE_MESSAGES": ["20", "20/s", "0/1s:5", "20/1s:0", "20/1d:5", "-1/1s:5", "1/h:9999999"],
    "MAX_ROOMS": ["0"],
    "HANDSHAKE_SECONDS": ["0", "inf"],
    "AUTH_MODE": ["none", "JWT"],
    "ALLOW_OPEN": ["maybe"],
    "GUESTS": ["yes"],
    "JWT_LEEWAY": ["-1", "61", "nan"],
    "LOG_FORMAT": ["xml"],
    "LOG_LEVEL": ["INFO", "loud"],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, vs in BAD.items() for v in vs])
def test_bad_value_is_named(name: str, value: str) -> None:
    """A value that Parley cannot run with is refused by a sentence that names its variable."""
    with pytest.raises(ConfigError) as caught:
        load(Settings, {name: value})
    assert str(caught.value).startswith(f"{name}={value} is not valid: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEYS", "canary"),
        ("REDIS_URL", "redis://:canary@host"),
        ("DATABASE_URL", "postgresql+asyncpg://host/x?password=canary"),
    ],
)
def test_secrets_are_not_quoted(name: str, value: str) -> None:
    """The refusal of a value that may hold a secret names its variable and quotes nothing."""
    refusal = str(invalid(name, value, f"cannot use {value}"))
    assert refusal.startswith(f"{name} is not valid")
    assert "canary" not in refusal


AROUND = ["\r", "\n", "\r\n", " ", "\t", " \r\n"]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_what_stands_around_a_value_is_left_out(around: str, quote: str) -> None:
    """Line ends, blanks and a pair of quotes around a value are no part of it."""
    given = {"PORT": "9000", "DATA_DIR": "/srv/Bob's data", "GATEWAY_NAME": "one"}
    given = {name: f"{around}{quote}{value}{quote}{around}" for name, value in given.items()}
    found = load(Settings, given)
    assert (found.port, found.data_dir, found.gateway_name) == (9000, "/srv/Bob's data", "one")


def test_nothing_but_blanks_counts_as_not_given() -> None:
    """A variable of blanks and quotes only counts as not given, a key too."""
    assert load(Settings, {"PORT": " \r", "DATA_DIR": '""', "JWT_KEY": "\r"}) == Settings()


UNSEEN = [
    ("\ufeff9000", "a byte order mark (U+FEFF) at its beginning"),
    ("90\u200b00", "the character ZERO WIDTH SPACE (U+200B) in it"),
    ("9000\u00a0", "the character NO-BREAK SPACE (U+00A0) at its end"),
    ("90\r00", "a carriage return (U+000D) in it"),
    ("9000\x1b", "the character of control (U+001B) at its end"),
    ("\u201c9000\u201d", "the character LEFT DOUBLE QUOTATION MARK (U+201C) at its beginning"),
    ('"9000', "a quotation mark (U+0022) at its beginning"),
    ("9000'", "an apostrophe (U+0027) at its end"),
    ("9000\u3164", "the character HANGUL FILLER (U+3164) at its end"),
    ("9000\udcff", "the byte 0xFF, which is not UTF-8, at its end"),
]


@pytest.mark.parametrize(("value", "character"), UNSEEN)
@pytest.mark.parametrize("name", ["PORT", "DATA_DIR", "REDIS_URL", "DATABASE_URL", "JWT_ISSUER"])
def test_a_character_that_cannot_be_meant_is_named(name: str, value: str, character: str) -> None:
    """A character that nobody sees or that belongs to no value is refused by its name."""
    with pytest.raises(ConfigError) as caught:
        load(Settings, {name: value})
    assert str(caught.value) == f"{name} has {character}: remove it"


@pytest.mark.parametrize("name", ["JWT_KEY", "SECRET_KEYS"])
@pytest.mark.parametrize(
    ("value", "character"),
    [
        ("canary\r", "a carriage return (U+000D) at its end"),
        (" canary", "a blank (U+0020) at its beginning"),
        ('"canary"', "a quotation mark (U+0022) at its beginning"),
        ("can\u200bary", "the character ZERO WIDTH SPACE (U+200B) in it"),
    ],
)
def test_nothing_is_left_out_of_a_key(name: str, value: str, character: str) -> None:
    """What stands around a key is refused by its name, as a copy elsewhere may have it too."""
    with pytest.raises(ConfigError) as caught:
        load(Settings, {name: value})
    assert str(caught.value) == f"{name} has {character}: remove it"


def test_a_public_key_has_lines() -> None:
    """The lines of a PEM stay as they are."""
    pem = "-----BEGIN PUBLIC KEY-----\r\nMFkw\r\n-----END PUBLIC KEY-----"
    assert load(Settings, {"JWT_PUBLIC_KEY": f"{pem}\r\n"}).jwt_public_key == pem


@pytest.mark.parametrize("name", ["DATA_DIR", "TLS_CERT", "TLS_KEY"])
def test_a_tilde_is_the_home_folder(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is replaced as a shell does it; a home that nobody has is refused."""
    monkeypatch.setenv("HOME", "/home/ann")
    assert getattr(load(Settings, {name: "~/parley"}), name.lower()) == "/home/ann/parley"
    with pytest.raises(ConfigError, match="there is no home folder ~nobody-here"):
        load(Settings, {name: "~nobody-here/parley"})


@pytest.mark.parametrize("folder", ["/srv/a%2Fb", "/srv/a?b", "/srv/a#b", "/srv/ü b'\"c", "x/"])
def test_the_database_is_in_the_data_folder(folder: str) -> None:
    """Whatever the name of DATA_DIR has in it, the SQLite file is there."""
    assert load(Settings, {"DATA_DIR": folder}).database == Path(folder).absolute() / "parley.db"


def test_a_message_that_no_outbox_takes() -> None:
    """An OUTBOX_LIMIT below the longest message there may be is refused by one sentence."""
    load(Settings, {"MAX_CONTENT": "16000", "OUTBOX_LIMIT": "104192"})
    with pytest.raises(ConfigError) as caught:
        load(Settings, {"MAX_CONTENT": "16000", "OUTBOX_LIMIT": "104191"})
    assert str(caught.value) == (
        "OUTBOX_LIMIT=104191 is too small for MAX_CONTENT=16000:"
        " one message of that length may take 104192 bytes"
    )


@pytest.mark.parametrize("characters", [1, 4000, 4779, 4780, 16_000])
def test_any_message_fits_into_a_frame(characters: int) -> None:
    """A message of MAX_CONTENT characters fits into a frame, with all fields as long as can be."""
    settings = load(Settings, {"MAX_CONTENT": str(characters)})
    name = "\N{GRINNING FACE}" * 128
    data = {"senderId": name, "receiverId": name, "clientMsgId": name, "resend": True}
    message = {**data, "chatId": 2**53 - 1, "content": "\N{GRINNING FACE}" * characters}
    frame = json.dumps({"event": "sendMessage", "data": message, "id": name})
    assert len(frame) <= settings.max_frame
    assert settings.max_frame >= 65_536


def test_defaults() -> None:
    """With nothing given, every setting has its documented default."""
    assert load(Settings, {}) == Settings()
    found = load(Settings, {})
    assert (found.host, found.port, found.partitions) == ("127.0.0.1", 8080, None)
    assert (found.log_length, found.room_idle, found.namespace) == (1000, 3600, "")
    assert [found.backlog_of(n) for n in (1, 8, 16, 1024)] == [200_000, 200_000, 100_000, 1562]
    assert (found.max_content, found.dedupe_minutes, found.drain_seconds) == (4000, 60, 10)
    assert (found.data_dir, found.broadcast_limit) == (".cluster", 1000)


@pytest.mark.parametrize("name", [f.encode_name for f in msgspec.structs.fields(Settings)])
def test_empty_counts_as_not_given(name: str) -> None:
    """A variable that is set to nothing counts as not given."""
    assert load(Settings, {name: ""}) == Settings()


def test_values_are_taken() -> None:
    """Given values win over defaults, each read as its kind."""
    given = {"PORT": "9000", "ROOM_IDLE": "0.5", "DATA_DIR": "/data", "LOG_FORMAT": "json"}
    found = load(Settings, given | {"UNKNOWN": "x"})
    assert (found.port, found.room_idle, found.data_dir) == (9000, 0.5, "/data")
    assert found.log_format == "json"


def test_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without variables given, the process's own are read."""
    monkeypatch.setenv("PARTITIONS", "4")
    assert load(Settings).partitions == 4


def test_exit_on_a_bad_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A process with a bad value ends with exit code 2 and one sentence on standard error."""
    monkeypatch.setenv("PORT", "70000")
    with pytest.raises(SystemExit) as ended:
        load_or_exit(Settings)
    assert ended.value.code == 2
    assert capsys.readouterr().err == "PORT=70000 is not valid: Expected `int` <= 65535\n"


def test_settings_are_frozen() -> None:
    """Settings cannot be changed after they were read."""
    with pytest.raises(AttributeError):
        Settings().port = 1  # type: ignore[misc]


def test_incarnations_differ() -> None:
    """Two lives of one process have different names, both beginning with its own."""
    names = {incarnation("gw") for _ in range(100)}
    assert len(names) == 100
    assert all(name.startswith("gw-") for name in names)


@pytest.mark.parametrize(
    ("given", "limited"),
    [
        ({}, False),
        ({"RATE_LIMITS": "on"}, True),
        ({"AUTH_MODE": "jwt"}, True),
        ({"AUTH_MODE": "jwt", "RATE_LIMITS": "off"}, False),
        ({"HOST": "0.0.0.0"}, True),  # noqa: S104
        ({"HOST": "::1"}, False),
        ({"HOST": "localhost"}, False),
    ],
)
def test_rates_are_limited_where_strangers_come(given: dict[str, str], limited: bool) -> None:  # noqa: FBT001
    """Unless told otherwise, rates are limited where there are tokens or others than loopback."""
    assert load(Settings, given).limited is limited
