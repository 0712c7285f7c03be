"""What an application asks: about rooms, direct chats, and both alike."""
