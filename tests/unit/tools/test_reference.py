"""The reference of the protocol is whole: everything is described, and every example fits."""

import json
import re
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from deploy.settings import Settings as ClusterSettings
from gateway.api.actions import EVENTS
from shared.config import Settings
from shared.model.log_events import LOG_EVENTS
from shared.protocol.closes import CLOSES
from shared.protocol.errors import ERRORS
from tools.reference import asyncapi, docstrings, protocol_page, settings_page
from tools.reference.docstrings import Undescribed
from tools.reference.schemas import schemas_of
from tools.reference.server_messages import server_messages


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The AsyncAPI document."""
    made: dict[str, Any] = json.loads(asyncapi.document())
    return made


def test_the_document_has_every_event(document: dict[str, Any]) -> None:
    """Each event that clients send or get is an operation with a summary and an example."""
    names = {f"receive.{event}" for event in EVENTS} | {
        f"send.{event}" for event in server_messages()
    }
    assert document["operations"].keys() == names
    told = {kind.announced_as.event for kind in LOG_EVENTS} - {"skipped"}
    assert told < server_messages().keys()
    assert all(operation["summary"] for operation in document["operations"].values())
    assert all(message["examples"] for message in document["components"]["messages"].values())


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    """What the document refers to is in it."""
    for reference in re.findall(r'"\$ref":\s*"#/([^"]+)"', json.dumps(document)):
        found = document
        for part in reference.split("/"):
            found = found[part]
        assert found


def test_every_example_fits(document: dict[str, Any]) -> None:
    """The examples of the document are frames as it describes them."""
    components = {"components": {"schemas": document["components"]["schemas"]}}
    for message in document["components"]["messages"].values():
        check = Draft202012Validator({**message["payload"], **components})
        for example in message["examples"]:
            check.validate(example["payload"])


def test_the_page_has_everything() -> None:
    """The page has a part for each request and event, and a row for each code."""
    page = protocol_page.page()
    for event in EVENTS:
        assert f"### Request {event}\n" in page
    for event in server_messages():
        assert f"### Event {event}\n" in page
    for code in ERRORS:
        assert f"| `{code}` |" in page
    for close in CLOSES:
        assert f"| {int(close)} |" in page
    assert "@" not in page.replace("@bob", "")


class Undocumented(msgspec.Struct):
    """A type of which a field is not described.

    Attributes:
        one: described.
    """

    one: int
    two: int


def test_a_field_without_description_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """No page is written while a field has no description."""
    texts = docstrings.Described("A type.", "", {"one": "described."})
    monkeypatch.setattr("tools.reference.schemas.GENERATED", {Undocumented: texts})
    with pytest.raises(Undescribed, match="the field two of Undocumented has no description"):
        schemas_of([Undocumented])


@pytest.mark.parametrize("kind", [Settings, ClusterSettings])
def test_every_setting_is_described(kind: type[msgspec.Struct]) -> None:
    """Each setting has a row on the page of settings, with a sentence that says what it is."""
    page = settings_page.page()
    texts = docstrings.fields_below(kind)
    for field in msgspec.structs.fields(kind):
        assert f"| `{field.encode_name}` |" in page
        assert texts[field.name].endswith(".")
