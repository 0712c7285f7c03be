"""The page of settings, made from those of gateways and persisters, and of the cluster."""

from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

from deploy.settings import Settings as ClusterSettings
from shared.config import Settings
from shared.config.readers import READ_BY_BOTH, READ_BY_PERSISTERS
from shared.config.secrets import SecretKeys
from shared.web.hosts import PublicUrls
from tools.reference import docstrings
from tools.reference.documents import header, table
from tools.reference.type_words import number

TEMPLATE: Final = Path(__file__).parent / "pages" / "settings.template"


def page() -> str:
    """Return the page.

    Raises:
        Undescribed: a setting has no description.
    """
    cluster = table(["setting", "default", "value", "meaning"], _rows(ClusterSettings))
    processes = [[*row[:3], _process(name), row[3]] for name, row in _named_rows(Settings)]
    both = table(["setting", "default", "value", "read by", "meaning"], processes)
    text = TEMPLATE.read_text(encoding="utf-8")
    sources = header("`shared/config` and `deploy/settings.py`")
    return f"{sources}\n{text.replace('@cluster@', cluster).replace('@processes@', both)}"


def _process(name: str) -> str:
    if name.upper() in READ_BY_PERSISTERS:
        return "persisters"
    return "both" if name.upper() in READ_BY_BOTH else "gateways"


def _rows(kind: type[msgspec.Struct]) -> list[list[str]]:
    return [row for _, row in _named_rows(kind)]


def _named_rows(kind: type[msgspec.Struct]) -> list[tuple[str, list[str]]]:
    texts = docstrings.fields_below(kind)
    found = []
    for field in msgspec.structs.fields(kind):
        default = f"`{field.default}`" if str(field.default or "") else ""
        row = [f"`{field.encode_name}`", default, _value(field.type), texts[field.name]]
        found.append((field.name, row))
    return found


def _value(kind: Any) -> str:  # noqa: ANN401 - a type expression
    """Return what a setting takes, in words."""
    metas = [each for each in getattr(kind, "__metadata__", ()) if isinstance(each, Meta)]
    kind = getattr(kind, "__origin__", kind) if metas else kind
    if get_origin(kind) is Literal:
        return " or ".join(f"`{option}`" for option in get_args(kind))
    if members := [each for each in get_args(kind) if each is not type(None)]:
        return _value(members[0])
    words = {
        int: "whole number",
        float: "number",
        str: "text",
        SecretKeys: "text",
        PublicUrls: "URLs",
    }.get(kind, kind.__name__.lower())
    return f"{words}{_range(metas[0])}" if metas else words


def _range(meta: Meta) -> str:
    low, high = (meta.ge if meta.ge is not None else meta.gt), meta.le
    if low is None:
        return ""
    above = "from" if meta.ge is not None else "above"
    if high is None:
        return f" {above} {number(low)}" + (" on" if above == "from" else "")
    return f" from {number(low)} to {number(high)}"
