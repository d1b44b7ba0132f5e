"""Read the models' catalog with the project's own ``models.yaml``, checked whole before anything is synthesized."""

from dataclasses import dataclass
from pathlib import Path

from pentad.domain.declarations.agents import Catalog
from pentad.domain.declarations.workflows import ModelStep
from pentad.domain.errors import ConfigurationError
from pentad.domain.knowledge import SEARCH_KNOWLEDGE
from pentad.domain.reading.yaml_file import decode_yaml
from pentad.memory.retrieval.scores.scales import SCALES
from pentad.models.catalog.catalog import OVERLAY, ModelCatalog, ModelEntry, load
from pentad.tools.offer.choose import estimate_tool

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
    overlay = decode_yaml(OVERLAY, path.read_bytes()) if path.is_file() else None
    return Models(load(overlay=overlay, strict=True), overlay)


def compute_tool_room(models: ModelCatalog, catalog: Catalog) -> dict[str, int]:
    """Return the agents whose tools' definitions are more than their share of the window, with the tokens of the share.

    The window is the smallest of the models that may be asked, since a fallback has to do with the same tools. Tokens
    are estimated ones, so a model that makes more of the same words has room for fewer.

    Args:
        models: the models of each task.
        catalog: agents and tools.
    """
    rooms: dict[str, int] = {}
    for name, agent in catalog.agents.items():
        links = models.route(task=agent.task).links
        window = min(link.model.context_tokens / link.model.token_factor for link in links)
        room = int(window * agent.context.tools_percent / 100)
        if agent.context.tools_percent < 100 and sum(map(estimate_tool, catalog.tools_of(agent))) > room:
            rooms[name] = room
    return rooms


def check_tasks(models: ModelCatalog, catalog: Catalog) -> None:
    """Refuse agents and workflows whose model calls are of a task that the gateway does not have.

    Args:
        models: the tasks there are.
        catalog: agents and workflows.

    Raises:
        ConfigurationError: the message names the file, the part and the tasks there are.
    """
    asked = {f"agents/{name}/agent.yaml": agent.task for name, agent in catalog.agents.items()}
    for name, workflow in catalog.workflows.items():
        file = f"infra/workflows/{name.replace('-', '_')}.py"
        asked |= {f"{file}: {step.name}": step.task for step in workflow.steps.values() if isinstance(step, ModelStep)}
    for place, task in asked.items():
        if task not in models.tasks:
            known = ", ".join(sorted(models.tasks))
            raise ConfigurationError(f"{place}: task: no task '{task}'; the tasks are {known}", fix="use one of them")


def check_scales(models: ModelCatalog, catalog: Catalog) -> None:
    """Refuse agents whose passages are to have a relevance that the embedding model's cosines say nothing about.

    Args:
        models: the embedding models there are.
        catalog: agents.

    Raises:
        ConfigurationError: the message names the file and the model.
    """
    unknown = sorted({link.model.name for link in models.route(task="embed").links} - SCALES.keys())
    for name, agent in catalog.agents.items():
        knowledge = agent.knowledge
        searches = knowledge.top_k > 0 or SEARCH_KNOWLEDGE in agent.tools
        if unknown and searches and knowledge.minimum_score is None and knowledge.minimum_relevance > 0:
            raise ConfigurationError(
                f"agents/{name}/agent.yaml: knowledge: no relevance scale is known for the embedding model "
                f"'{unknown[0]}', so no passage can be held against minimum_relevance",
                fix="set knowledge.minimum_score, a cosine; or minimum_relevance: 0, and nothing is too far",
            )
