"""`make bench`: what a delivery costs, for us and for others, priced the same way."""
