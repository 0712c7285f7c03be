"""The trail of security events: its bounds, its file, its lines and its vocabulary."""
