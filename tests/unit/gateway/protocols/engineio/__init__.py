"""Tests of `gateway/protocols/engineio`."""
