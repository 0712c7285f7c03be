"""Tests of `gateway/protocols/socketio`."""
