"""An adapter for each provider that the models' catalog uses.

Only the adapters' modules are imported here; a provider's SDK is imported with its first request.
"""

from collections.abc import Callable, Mapping

from pentad.models.catalog.catalog import ModelCatalog
from pentad.models.catalog.provider_entries import ProviderEntry
from pentad.models.providers.adapters.anthropic import AnthropicChat
from pentad.models.providers.adapters.bedrock import BedrockChat
from pentad.models.providers.adapters.openai import OpenAIChat
from pentad.models.providers.adapters.openai_compatible import OpenAICompatibleChat
from pentad.models.providers.adapters.openai_embeddings import OpenAIEmbeddings
from pentad.models.providers.adapters.secrets import PlacedCredentials
from pentad.models.providers.ports import CredentialSource, ProviderChat, ProviderEmbed

CredentialsOf = Callable[[str | None], CredentialSource]
"""Given the name of a provider's secret, or None where it has none, returns its credentials."""


def chat_providers(catalog: ModelCatalog, credentials: CredentialsOf) -> Mapping[str, ProviderChat]:
    """Return an adapter for each provider of which some chain names a model.

    Args:
        catalog: providers and chains.
        credentials: of a provider's secret.
    """
    return {entry.name: _make_chat(entry, credentials) for entry in catalog.used_providers}


def _make_chat(entry: ProviderEntry, credentials: CredentialsOf) -> ProviderChat:
    match entry.kind:
        case "anthropic":
            return AnthropicChat(_place(entry, credentials))
        case "openai":
            return OpenAIChat(_place(entry, credentials))
        case "openai_compatible":
            return OpenAICompatibleChat(entry, credentials(entry.secret))
        case "bedrock":
            return BedrockChat(entry)


def _place(entry: ProviderEntry, credentials: CredentialsOf) -> CredentialSource:
    source = credentials(entry.secret)
    return PlacedCredentials(source, entry.base_url) if entry.base_url else source


def embedding_providers(catalog: ModelCatalog, credentials: CredentialsOf) -> Mapping[str, ProviderEmbed]:
    """Return an adapter for each provider that the embeddings tier names a model of.

    Args:
        catalog: providers and chains.
        credentials: of a provider's secret.
    """
    names = {model.provider for model in catalog.used_models if model.kind == "embedding"}
    entries = [catalog.providers[name] for name in sorted(names)]
    return {entry.name: OpenAIEmbeddings(credentials(entry.secret), entry=entry) for entry in entries}
