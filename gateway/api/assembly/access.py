"""Assembly of access control: identity, rules, passwords, rates and the trail."""

from contextlib import AsyncExitStack

from gateway.access.acquaintance import Acquaintance
from gateway.access.authorization import Authorization
from gateway.access.grants import Grants
from gateway.access.guests import GuestBans
from gateway.access.identity import Identity
from gateway.access.rates.limits import Limits
from gateway.access.revocations import Revocations
from gateway.access.shares.guesses import Guesses
from gateway.access.shares.passwords import Passwords
from gateway.access.shares.reads import read_queue
from gateway.access.user_names import UserNames
from gateway.api.backends import Backends
from gateway.api.gateway import Access
from shared.broker.sessions.connected_users import ConnectedUsers
from shared.broker.sessions.guest_bans import GuestBanBroker
from shared.broker.sessions.limits import LimitBroker
from shared.broker.sessions.spellings import SpellingBroker
from shared.broker.sessions.tickets import TicketBroker
from shared.config import Settings
from shared.storage.names import NameReader
from shared.trail import Trail


def build_access(settings: Settings, links: Backends, stack: AsyncExitStack) -> Access:
    """Assemble what decides who may do what, and how often; `stack` closes it.

    Raises:
        ConfigError: settings contradict each other.
    """
    trail = Trail(settings, settings.gateway_name)
    stack.callback(trail.close)
    limits = _limits(settings, links, trail, stack) if settings.limited else None
    passwords = Passwords()
    stack.callback(passwords.close)
    stored_names = NameReader(links.reader)
    acquaintance = Acquaintance(ConnectedUsers(links.client, links.keys), stored_names)
    stack.push_async_callback(acquaintance.close)
    revocations = Revocations()
    identity = Identity(settings, TicketBroker(links.client, links.keys), revocations)
    user_names = _user_names(links, stored_names, identity)
    stack.push_async_callback(user_names.close)
    return Access(
        identity=identity,
        revocations=revocations,
        user_names=user_names,
        acquaintance=acquaintance,
        authorization=Authorization(settings.auth_mode),
        passwords=passwords,
        grants=Grants(settings),
        guest_bans=GuestBans(GuestBanBroker(links.pipe, links.keys), settings),
        trail=trail,
        limits=limits,
        guesses=Guesses(limits, settings) if limits is not None else None,
        reads=read_queue(),
    )


def _limits(settings: Settings, links: Backends, trail: Trail, stack: AsyncExitStack) -> Limits:
    limits = Limits(LimitBroker(links.pipe, links.keys), settings, trail)
    stack.callback(limits.close)
    return limits


def _user_names(links: Backends, stored: NameReader, identity: Identity) -> UserNames:
    return UserNames(stored, SpellingBroker(links.reads, links.keys), proven=identity.required)
