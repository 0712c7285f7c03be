"""The routes of REST."""

from starlette.routing import BaseRoute, Route

from gateway.endpoints.rest import chats, tickets


def routes() -> list[BaseRoute]:
    """Return the routes of the endpoints of REST."""
    return [
        Route("/chats", chats.Chats),
        Route("/chats/user/{user:path}", chats.ChatsOfUser),
        Route("/chats/{chat}", chats.Chat),
        Route("/tickets", tickets.Tickets),
    ]
