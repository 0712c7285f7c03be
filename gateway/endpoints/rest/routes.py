"""Which path of REST leads where."""

from starlette.routing import BaseRoute, Route

from gateway.endpoints.rest import chats, openapi, tickets


def routes() -> list[BaseRoute]:
    """What leads to the endpoints of REST, and to its document."""
    return [
        Route("/chats", chats.Chats),
        Route("/chats/user/{user:path}", chats.ChatsOfUser),
        Route("/chats/{chat}", chats.Chat),
        Route("/tickets", tickets.Tickets),
        Route("/openapi.json", openapi.document),
    ]
