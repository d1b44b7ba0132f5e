"""What answers OpenAI's clients: the gateway's function behind OpenAI's wire format."""

from pentad.api.door.service import Door
from pentad.aws.clients import get_client
from pentad.models.remote.adapters.gateway_lambda import LambdaChatModel, LambdaEmbedder
from pentad.runtime.clock import now
from pentad.runtime.models import load_models
from pentad.runtime.settings import ApiSettings

_SECONDS = 28.0
"""How long to wait for the gateway; its deadline is before API Gateway's 30 s, so its own word comes first."""


def make_door(values: ApiSettings) -> Door:
    """Return what answers OpenAI's requests."""
    # One attempt: a second one would ask, and bill, twice.
    gateway = get_client("lambda", read_timeout=_SECONDS, attempts=1)
    function = values.gateway_function
    return Door(LambdaChatModel(gateway, function), LambdaEmbedder(gateway, function), load_models(), now=now)
