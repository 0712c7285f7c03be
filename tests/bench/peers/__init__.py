"""Servers to compare with, written as their documentation shows."""
