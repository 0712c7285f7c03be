"""The tables of actions: everything that can be asked of a gateway, and how each is handled.

An action is declared once. Whoever carries requests in (the dispatcher of a session, REST) calls
`perform`, which finds what an action is about, applies its rule and runs its handler: handlers
judge nothing by themselves. Rates are applied before the data of a request is read, by the class
that stands here; REST's by the guard, which counts addresses. The reference of the protocol is
made from these tables.
"""

from gateway.api.actions.action import Action, Request
from gateway.api.actions.events import EVENTS
from gateway.api.actions.performing import perform
from gateway.api.actions.requests import REQUESTS

__all__ = ["EVENTS", "REQUESTS", "Action", "Request", "perform"]
