"""An adapter for each provider that the catalog uses: a neighbour of `bootstrap`, which knows concrete adapters too.

Only the adapters' modules are imported here; a provider's SDK is imported with its first request.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources

from pentad.models.catalog.catalog import OVERLAY, ModelCatalog, load
from pentad.models.catalog.provider_entries import ProviderEntry
from pentad.models.providers.ports import CredentialSource, ProviderChat, ProviderEmbed
from pentad.runtime.catalog import PACKAGE

CredentialsOf = Callable[[str | None], CredentialSource]
"""Given the name of a provider's secret, or None where it has none, returns its credentials."""


@cache
def load_models(package: str = PACKAGE) -> ModelCatalog:
    """Return the models' catalog, with what the deployment's own ``models.yaml`` changes, if it has one.

    Raises:
        ConfigurationError: a mistake in it.
    """
    try:
        overlay = resources.files(package).joinpath(OVERLAY).read_text(encoding="utf-8")
    except (ModuleNotFoundError, FileNotFoundError):
        return load()
    return load(overlay=overlay)


def chat_providers(catalog: ModelCatalog, credentials: CredentialsOf) -> Mapping[str, ProviderChat]:
    """Return an adapter for each provider of which some chain names a model.

    Args:
        catalog: providers and chains.
        credentials: of a provider's secret.
    """
    return {entry.name: _chat(entry, credentials) for entry in catalog.used_providers}


def _chat(entry: ProviderEntry, credentials: CredentialsOf) -> ProviderChat:
    match entry.kind:
        case "anthropic":
            from pentad.models.providers.adapters.anthropic import AnthropicChat

            return AnthropicChat(_placed(entry, credentials))
        case "openai":
            from pentad.models.providers.adapters.openai import OpenAIChat

            return OpenAIChat(_placed(entry, credentials))
        case "openai_compatible":
            from pentad.models.providers.adapters.openai_compatible import OpenAICompatibleChat

            return OpenAICompatibleChat(entry, credentials(entry.secret))
        case "bedrock":
            from pentad.models.providers.adapters.bedrock import BedrockChat

            return BedrockChat(entry)


def _placed(entry: ProviderEntry, credentials: CredentialsOf) -> CredentialSource:
    from pentad.models.providers.adapters.secrets import PlacedCredentials

    source = credentials(entry.secret)
    return PlacedCredentials(source, entry.base_url) if entry.base_url else source


def embedding_providers(catalog: ModelCatalog, credentials: CredentialsOf) -> Mapping[str, ProviderEmbed]:
    """Return an adapter for each provider that the embeddings tier names a model of.

    Args:
        catalog: providers and chains.
        credentials: of a provider's secret.
    """
    from pentad.models.providers.adapters.openai_embeddings import OpenAIEmbeddings

    names = {model.provider for model in catalog.used_models if model.kind == "embedding"}
    entries = [catalog.providers[name] for name in sorted(names)]
    return {entry.name: OpenAIEmbeddings(credentials(entry.secret), entry=entry) for entry in entries}
