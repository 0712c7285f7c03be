"""The requests of an application: about rooms, direct chats, and both alike.

Imports the engine and what is below it; the client is made of these.
See docs/topics/clients-inside.md.
"""
