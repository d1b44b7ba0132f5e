"""The wiring of functions.api.authorizer."""

from functools import cache

from pentad.api.identity.adapters.keys_dynamodb import DynamoKeys
from pentad.api.identity.adapters.oidc import OidcVerifier
from pentad.api.identity.authorize import Authorize
from pentad.api.identity.keys import KeyAuthenticator
from pentad.api.identity.tokens import JwtAuthenticator
from pentad.aws.clients import get_client
from pentad.aws.table import Table
from pentad.observability.ports import Telemetry
from pentad.runtime.clock import now
from pentad.runtime.settings import AuthorizerSettings, read_settings
from pentad.runtime.wiring.ground.telemetry import telemetry_of


def make_telemetry() -> Telemetry:
    """Return what tells of refusals."""
    return telemetry_of("authorizer")


@cache
def make_authorize() -> Authorize:
    """Return what says whose credential a request carries: by API keys, and by an issuer's tokens if one is set."""
    values = read_settings(AuthorizerSettings)
    keys = KeyAuthenticator(DynamoKeys(Table(get_client("dynamodb"), values.state_table)), now=now)
    if values.oidc_issuer is None or values.oidc_audience is None:
        return Authorize(keys)
    tokens = JwtAuthenticator(
        OidcVerifier(values.oidc_issuer, values.oidc_audience),
        issuer=values.oidc_issuer,
        tenant_claim=values.oidc_tenant_claim,
        scope_claim=values.oidc_scope_claim,
        groups_claim=values.oidc_groups_claim,
    )
    return Authorize(keys, tokens)
