"""`make bench`: the cost of a delivery in Parley and other systems, measured the same way."""
