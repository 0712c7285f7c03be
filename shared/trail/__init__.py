"""The trail: who logged in, what was refused, and who did what, as security events."""

from shared.trail.bounds import SUMMARY_SECONDS, Source
from shared.trail.errors import LoginError
from shared.trail.file import check_trail_file
from shared.trail.trail import Trail

__all__ = ["SUMMARY_SECONDS", "LoginError", "Source", "Trail", "check_trail_file"]
