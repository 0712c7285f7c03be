"""Who may act on an operator's port."""

import pytest

from shared.config import ConfigError, Settings, load
from shared.errors import ChatError
from shared.operator.acting import check_acting, failed

SECRET = "s" * 32
HOST = "127.0.0.1:9080"
BEARER = {"authorization": f"Bearer {SECRET}", "host": HOST}


def code_of(headers: dict[str, str], secret: str = SECRET) -> str:
    """The code with which a request is refused; empty if it may act."""
    try:
        check_acting(secret, headers.get)
    except ChatError as error:
        return error.code
    return ""


@pytest.mark.parametrize(
    "added",
    [
        {},
        {"origin": f"http://{HOST}"},
        {"origin": f"http://{HOST}", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"authorization": f"bearer  {SECRET}"},
    ],
)
def test_who_has_the_secret_acts(added: dict[str, str]) -> None:
    """Who sends the secret may act, from a shell or from a page of the port itself."""
    assert code_of({**BEARER, **added}) == ""


@pytest.mark.parametrize(
    "authorization",
    [
        *("", "Bearer", "Bearer ", f"Bearer {SECRET[1:]}", f"Bearer {SECRET}s", f"Basic {SECRET}"),
        *(SECRET, f"Bearer {SECRET[1:]}é", "Bearer \udcff"),
    ],
)
def test_without_the_secret(authorization: str) -> None:
    """Whatever is sent in place of the whole secret is not authorized."""
    assert code_of({**BEARER, "authorization": authorization}) == "unauthorized"


@pytest.mark.parametrize(
    "added",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:9081"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": f"http://{HOST}.evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": ""},
        {"origin": f"http://{HOST}", "sec-fetch-site": "cross-site"},
    ],
)
def test_a_page_of_another_origin(added: dict[str, str]) -> None:
    """A page of another origin may not act, not even with the secret."""
    assert code_of({**BEARER, **added}) == "forbidden"


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", f"Bearer {SECRET}"])
def test_no_secret_is_set(authorization: str) -> None:
    """Where no secret is set, nobody may act."""
    assert code_of({**BEARER, "authorization": authorization}, secret="") == "forbidden"


def test_the_answer_has_a_code() -> None:
    """A refusal is JSON with a code, and tells a client how to prove itself."""
    answer = failed(ChatError("unauthorized", "no"))
    assert answer.status == 401
    assert answer.body == b'{"code":"unauthorized","message":"no","retryable":false}'
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("secret", ["s" * 31, "s" * 31 + "é", "s" * 20 + " " + "s" * 20])
def test_a_secret_that_is_none(secret: str) -> None:
    """A secret that can be guessed, or that no header can carry, is refused and not shown."""
    with pytest.raises(ConfigError, match=r"^OPERATOR_SECRET has ") as refusal:
        load(Settings, {"OPERATOR_SECRET": secret})
    assert secret not in str(refusal.value)
