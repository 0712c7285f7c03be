"""npm's socket.io-client against whole clusters."""
