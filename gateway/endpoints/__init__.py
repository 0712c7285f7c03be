"""Where clients and operators come in."""
