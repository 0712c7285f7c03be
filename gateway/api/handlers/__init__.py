"""What each action does: one function an action."""
