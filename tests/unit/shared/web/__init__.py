"""Tests of what gateways and persisters share."""
