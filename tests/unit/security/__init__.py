"""The tests of what the security suite is made of, which start no server."""
