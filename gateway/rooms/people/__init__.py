"""Short-lived signs of people: who is typing."""
