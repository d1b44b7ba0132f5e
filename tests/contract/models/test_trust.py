"""To read the list of authorities takes longer than a request: a process reads it once, for all clients of the SDKs."""

from typing import Any

import pytest

from pentad.models.providers.adapters import sdk
from pentad.models.providers.adapters.anthropic import AnthropicChat
from pentad.models.providers.adapters.bedrock import BedrockChat
from pentad.models.providers.adapters.openai import OpenAIChat
from pentad.models.providers.exchange import ProviderCredentials


@pytest.mark.parametrize("adapter", ["anthropic", "openai", "bedrock", "compatible"])
def test_all_clients_share_what_they_trust(adapter: str, adapters: Any) -> None:
    made: AnthropicChat | OpenAIChat | BedrockChat = getattr(adapters, adapter)
    contexts = set()
    for key in ("one", "two"):
        client = made._clients.get_client(ProviderCredentials(key, "https://models.invalid/v1"))
        transports = [client._client._transport, *filter(None, client._client._mounts.values())]
        contexts |= {transport._pool._ssl_context for transport in transports}
    assert contexts == {sdk.get_trust()}
    assert sdk.get_trust().check_hostname
