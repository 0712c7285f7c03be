"""The tables of actions: all events and requests that a gateway accepts, and their handlers.

An action is declared once. The dispatcher of a session, and REST, call `perform`. It finds the
action's target, applies its rule and runs its handler. Handlers check no permissions themselves, so
an action without a rule cannot exist. The rate of an event is applied before its data is read; that
of REST requests by the guard, which counts addresses. The protocol reference is generated from
these tables.
"""

from gateway.api.actions.action import Action, Request
from gateway.api.actions.events import EVENTS
from gateway.api.actions.performing import perform
from gateway.api.actions.requests import REQUESTS

__all__ = ["EVENTS", "REQUESTS", "Action", "Request", "perform"]
