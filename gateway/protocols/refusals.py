"""Counts the requests that were answered with an error, over every protocol."""

from typing import Final

from shared.metrics import LabelledCounter

ERRORS: Final = LabelledCounter("errors", "Requests answered with an error.", "code")
