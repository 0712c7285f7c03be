"""Tests of the Socket.IO session that the conformance server has."""
