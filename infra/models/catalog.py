"""Read the models' catalog with the project's own ``models.yaml``, checked whole before anything is synthesized."""

from dataclasses import dataclass
from pathlib import Path

from pentad.models.catalog import OVERLAY, ModelCatalog, ModelEntry, load

_IN_SETTINGS = ("anthropic", "openai")
"""Secrets that the gateway's settings name one by one."""


@dataclass(frozen=True)
class Models:
    """What the deployment knows of models.

    Attributes:
        catalog: providers, models, tiers, tasks.
        overlay: the text of ``models.yaml``; None where the project has none.
    """

    catalog: ModelCatalog
    overlay: str | None

    @property
    def other_secrets(self) -> list[str]:
        """Names of the secrets that chains need beyond those that every deployment has."""
        named = {provider.secret for provider in self.catalog.used_providers if provider.secret}
        return sorted(named.difference(_IN_SETTINGS))

    @property
    def bedrock_models(self) -> list[tuple[ModelEntry, str | None]]:
        """Models that chains call at Bedrock, each with its region where that is not the stack's."""
        providers = self.catalog.providers
        used = [model for model in self.catalog.used_models if providers[model.provider].kind == "bedrock"]
        return [(model, providers[model.provider].region) for model in used]


def read_models(root: Path) -> Models:
    """Return the catalog of a project.

    Args:
        root: the project's folder, with or without a ``models.yaml``.

    Raises:
        ConfigurationError: a mistake; the message names file and line.
    """
    path = root / OVERLAY
    overlay = path.read_text(encoding="utf-8") if path.is_file() else None
    return Models(load(overlay=overlay, strict=True), overlay)
