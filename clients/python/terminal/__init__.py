"""Chat in a terminal, or as lines of JSON for scripts, on the client."""
