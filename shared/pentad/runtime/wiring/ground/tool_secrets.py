"""What reads a tool's secrets: one attempt a request, since the state machine tries again."""

from collections.abc import Mapping
from functools import cache

from pentad.aws.clients import get_client, get_session_client
from pentad.tools.credentials.adapters.store_secretsmanager import SecretsManagerStore
from pentad.tools.credentials.oauth import TokenCache
from pentad.tools.credentials.tool_secrets import DeclaredToolSecrets, SecretCache
from pentad.tools.outside.places import SecretPlace
from pentad.tools.runtime.handed import SessionKeys


def make_tool_secrets(places: Mapping[str, SecretPlace], keys: SessionKeys | None) -> DeclaredToolSecrets:
    """Return what reads secrets for one call.

    Args:
        places: where each declared secret is.
        keys: the call's credentials, which reach the secrets of its tenant.
    """
    cache_of_values, tokens = _make_caches()
    own = None
    if keys is not None:
        own = SecretsManagerStore(get_session_client("secretsmanager", attempts=1, **keys.model_dump()))
    shared = SecretsManagerStore(get_client("secretsmanager", attempts=1))
    return DeclaredToolSecrets(places, shared=shared, own=own, cache=cache_of_values, tokens=tokens)


@cache
def _make_caches() -> tuple[SecretCache, TokenCache]:
    return SecretCache(), TokenCache()
