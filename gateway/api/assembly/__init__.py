"""The assembly of a gateway: its groups of parts, one module for each, and their start."""

from gateway.api.assembly.checks import find_data, setting_faults
from gateway.api.assembly.gateway import build_gateway, start_gateway

__all__ = ["build_gateway", "find_data", "setting_faults", "start_gateway"]
