"""How a cluster is set up, started and kept running on one machine."""
