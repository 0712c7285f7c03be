"""REST for direct chats and tickets, and its OpenAPI document."""
