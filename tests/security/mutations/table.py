"""All mutations, and the defences that have none."""

from collections.abc import Mapping
from typing import Final

from tests.security.mutations.defences.content import CONTENT
from tests.security.mutations.defences.deployment import DEPLOYMENT
from tests.security.mutations.defences.doors import DOORS
from tests.security.mutations.defences.identity import IDENTITY
from tests.security.mutations.defences.limits import LIMITS
from tests.security.mutations.defences.permission import PERMISSION
from tests.security.mutations.defences.sizes import SIZES
from tests.security.mutations.defences.tokens import TOKENS
from tests.security.mutations.defences.trail import TRAIL
from tests.security.mutations.mutation import Mutation

MUTATIONS: Final[tuple[Mutation, ...]] = (
    *IDENTITY,
    *TOKENS,
    *PERMISSION,
    *LIMITS,
    *SIZES,
    *CONTENT,
    *TRAIL,
    *DOORS,
    *DEPLOYMENT,
)

WITHOUT_MUTATION: Final[Mapping[str, str]] = {}
"""Defences of docs/topics/security.md that no mutation takes out, each with the reason."""
