"""Processes that are supervised: started, watched, restarted, stopped, and their output."""
