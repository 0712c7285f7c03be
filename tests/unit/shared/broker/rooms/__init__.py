"""Tests of `shared/broker/rooms`."""
