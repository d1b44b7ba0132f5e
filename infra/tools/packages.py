"""The Lambda layers that single tools have beyond those of every function: packages that they name, and of graphs."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.tools import graph
from layers import build as builds
from layers.packages import select_packages
from pentad.tools.declare.discovery import AnyTool


@dataclass(frozen=True)
class ToolLayer:
    """A layer and the folder that it is made of."""

    version: lambda_.ILayerVersion
    folder: Path


class ToolLayers:
    """Layers of tools, each made once: tools that name the same packages share one, and no other function has it.

    Args:
        scope: the stack.
        root: the project's folder.
        tools: the declarations by name.

    Raises:
        BuildError: a tool names a package that is not locked.
    """

    def __init__(self, scope: Construct, root: Path, tools: Mapping[str, AnyTool]) -> None:
        self._layers: dict[str, list[ToolLayer]] = {}
        self._made: dict[Path, ToolLayer] = {}
        graphs: ToolLayer | None = None
        for name, tool in sorted(tools.items()):
            layers = []
            if "langchain" in tool.needs:
                graphs = graphs or ToolLayer(graph.create_layer(scope, root), builds.build_graphs_layer(root))
                layers.append(graphs)
            if tool.packages:
                layers += self._create_own(scope, root, tool)
            self._layers[name] = layers

    def get(self, tool: str) -> list[ToolLayer]:
        """Return the layers of a tool beyond those of every function."""
        return self._layers[tool]

    def _create_own(self, scope: Construct, root: Path, tool: AnyTool) -> list[ToolLayer]:
        graphs = "langchain" in tool.needs
        file = f"{tool.module.replace('.', '/')}.py"
        lock = select_packages(root, file, tool.packages, graphs=graphs)
        names = sorted(tool.packages)
        digest = hashlib.sha256("\0".join([*names, str(graphs)]).encode()).hexdigest()[:8]
        folder = builds.build_packages_layer(root, f"{names[0]}-{digest}", lock)
        if folder not in self._made:
            version = lambda_.LayerVersion(
                scope,
                f"layer-packages-{names[0]}-{digest}",
                code=lambda_.Code.from_asset(str(folder)),
                compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
                compatible_architectures=[lambda_.Architecture.ARM_64],
                description=f"Pentad: {', '.join(names)}"[:256],
            )
            self._made[folder] = ToolLayer(version, folder)
        return [self._made[folder]]


def count_layers(tools: Mapping[str, AnyTool]) -> int:
    """Return how many layers tools have at most for packages that they name."""
    return len({("langchain" in tool.needs, *sorted(tool.packages)) for tool in tools.values() if tool.packages})
