"""Tests of the servers that a cluster embeds."""
