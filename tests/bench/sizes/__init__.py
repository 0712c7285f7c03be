"""`make bench-sizes`: the growth of cost with gateways, connections, members and rooms."""
