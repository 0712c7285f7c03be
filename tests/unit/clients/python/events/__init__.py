"""Of typed events and what is known by them."""
