"""`make bench-sizes`: how our cost grows with gateways, connections, members and rooms."""
