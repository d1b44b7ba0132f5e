"""Which declared names a stage's metrics tell apart, where a project has more than are told apart."""

import json
from collections.abc import Mapping, Sequence

from aws_cdk import Annotations
from constructs import Construct

from infra.models.catalog import Models
from pentad.domain.declarations.agents import Catalog
from pentad.domain.declarations.remote_tools import find_server
from pentad.observability.metrics.dimensions import choose_told_apart
from pentad.observability.metrics.table import PLATFORM_FUNCTIONS
from pentad.tools.declare.discovery import AnyTool


def choose_metric_names(
    scope: Construct, catalog: Catalog, models: Models, declared: Mapping[str, AnyTool]
) -> str | None:
    """Return the names that metrics tell apart, as JSON; None where all are.

    It is told at synth of which dimension some are not: their metrics are counted together, as ``other``.
    """
    names = list_metric_names(catalog, models, declared)
    chosen = choose_told_apart(names)
    for dimension, kept in chosen.items():
        left_out = [name for name in names[dimension] if name not in kept]
        Annotations.of(scope).add_warning_v2(
            f"pentad:metrics:{dimension}",
            f"metrics tell {len(kept)} names of '{dimension}' apart; {len(left_out)} more are counted together as "
            f"'other', since each is billed: {', '.join(left_out[:5])}{', ...' if len(left_out) > 5 else ''}",
        )
    return json.dumps(chosen, sort_keys=True) if chosen else None


def list_metric_names(catalog: Catalog, models: Models, declared: Mapping[str, AnyTool]) -> dict[str, Sequence[str]]:
    """Return all names that a deployment's metrics can have, by dimension, in the order in which they are preferred."""
    tools = {_name_service(tool) for tool in declared.values()}
    return {
        "agent": sorted({*catalog.agents, *catalog.workflows}),
        "tool": sorted({*catalog.tools, *declared}),
        "model": sorted(one.name for one in models.catalog.used_models),
        "tier": sorted(models.catalog.tiers),
        "function": [*PLATFORM_FUNCTIONS, *sorted(tools)],
    }


def _name_service(tool: AnyTool) -> str:
    """Return how a tool's function names itself in metrics: as `pentad.runtime.wiring.tools.tool` does."""
    server = find_server(tool.spec.name)
    return f"tool-mcp-{server}" if server else f"tool-{tool.module.rsplit('.', 1)[-1].replace('_', '-')}"
