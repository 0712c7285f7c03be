"""Engine.IO and Socket.IO over requests and WebSockets: sessions, namespaces, and the chat."""
