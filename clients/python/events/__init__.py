"""What a client is told: typed events and answers, and what is known by them."""
