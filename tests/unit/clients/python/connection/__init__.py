"""Of connections and requests."""
