"""The largest and worst inputs for everything that reads what clients send, in a loop."""
