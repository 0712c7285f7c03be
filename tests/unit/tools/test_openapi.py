"""The OpenAPI document is one, and says everything of the REST interface."""

import json
from typing import Any

import pytest
from openapi_spec_validator import validate

from gateway.api.actions import REQUESTS
from tools.reference import openapi


@pytest.fixture
def document() -> dict[str, Any]:
    """The document."""
    made: dict[str, Any] = json.loads(openapi.document())
    return made


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    """The document is one of OpenAPI 3.1, by the schema of its makers."""
    assert document["openapi"] == "3.1.0"
    validate(document)


def test_every_request_is_described(document: dict[str, Any]) -> None:
    """The document has each request of the table of actions, with a summary, and no other."""
    operations = {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert operations.keys() == {openapi.PARAMETER.sub("{id}", name) for name in REQUESTS}
    assert all(operation["summary"] for operation in operations.values())


def test_every_field_is_described(document: dict[str, Any]) -> None:
    """Every schema and every field of one has a description."""
    schemas = document["components"]["schemas"]
    assert schemas.keys() >= {"ChatPayload", "CreateChat", "ErrorBody", "Ticket"}
    for schema in schemas.values():
        assert schema["description"]
        assert all(field["description"] for field in schema["properties"].values())
