"""Tests of the modules that run a cluster."""
