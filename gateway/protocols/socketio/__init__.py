"""Socket.IO 5 without I/O (socket.io/docs/v4/socket-io-protocol)."""
