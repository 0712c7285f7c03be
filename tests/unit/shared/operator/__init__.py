"""Tests of the operator's ports."""
