"""Engine.IO 4 without I/O (socket.io/docs/v4/engine-io-protocol)."""
