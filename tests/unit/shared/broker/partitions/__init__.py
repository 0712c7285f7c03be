"""Tests of `shared/broker/partitions`."""
