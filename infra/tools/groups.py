"""Where the tools are: in the agent stack, or in nested stacks of it where they are too many for one.

CloudFormation takes 500 resources in a stack, and a tool is five, or six where spans are exported. Which nested stack a
tool is in depends on its name alone, so that a tool that is added or removed moves no other one.
"""

from collections.abc import Mapping

from aws_cdk import NestedStack
from constructs import Construct

from infra.assembly import MOST_OUTPUTS, MOST_RESOURCES
from infra.config import Stage
from infra.tools.packages import count_layers
from pentad.domain.declarations.agents import AgentSpec, Catalog
from pentad.domain.declarations.workflows import WorkflowSpec
from pentad.domain.errors import ConfigurationError
from pentad.tools.declare.discovery import AnyTool
from pentad.tools.runtime.function_names import GROUPS, find_function, find_group

_OF_A_TOOL = 4
"""Log, role, policy and function; and a version, where an agent or a workflow has the tool."""
_OUTPUTS_OF_A_TOOL = 2
_OF_A_GROUPS_DATA = 20
"""The role of a group's tools' data, and the policies that IAM takes for a role, of which there are at most ten."""
_OUTPUTS_BESIDE = 30
_OF_A_MACHINE = 7
_OF_ALL_ELSE = 148
_OF_THE_EXPORT = 31
"""The exporter with its queues and secret, and the filters of the functions that every project has."""
_TOOLS_OF_A_POLICY = 15
"""From so many tools on the runner's role gets a further policy."""
_TOOLS_OF_A_DATA_POLICY = 5
"""With so few wide grants the role of tools' data gets a further policy, at most as many as IAM takes for a role."""
_MOST_POLICIES = 10
_OF_CORS = 20
"""A route and a permission for each method but one, on two paths."""
_OF_A_STORES_LAYER = 1


def estimate_resources(catalog: Catalog, tools: Mapping[str, AnyTool], models: int, *, exports: bool = False) -> int:
    """Return how many resources the agent stack has if all tools are in it: rather a few too many than too few.

    Args:
        catalog: agents and workflows.
        tools: the declarations by name.
        models: how many models there are in chains, each of which has an alarm.
        exports: spans are exported, by a filter of each function's log.
    """
    machines: list[AgentSpec | WorkflowSpec] = [*catalog.agents.values(), *catalog.workflows.values()]
    schedules = sum(len(one.schedules) for one in machines)
    granted = sum(bool(tool.grants) for tool in tools.values())
    graphs = 2 if any(tool.needs for tool in tools.values()) else 0
    return (
        _OF_ALL_ELSE
        + _OF_A_TOOL * len({find_function(name) for name in tools})
        + len({tool for one in machines for tool in one.tools} & tools.keys())
        + len(tools) // _TOOLS_OF_A_POLICY
        + min(_MOST_POLICIES, granted // _TOOLS_OF_A_DATA_POLICY)
        + _OF_A_MACHINE * len(machines)
        + models
        + (schedules + 2 if schedules else 0)
        + graphs
        + count_layers(tools)
        + (_OF_THE_EXPORT + len(tools) if exports else 0)
    )


def count_option_resources(stage: Stage) -> int:
    """Return how many resources of the agent stack a stage's options make, beside export, contents and rotation."""
    return (_OF_CORS if stage.cors_origins else 0) + (_OF_A_STORES_LAYER if stage.vector_store == "postgres" else 0)


def count_most_of_a_group(*, exports: bool) -> int:
    """Return how many tools' functions fit into one nested stack, with the role of their data beside them.

    Args:
        exports: spans are exported, by a filter of each function's log, which stands beside it.
    """
    of_a_tool = _OF_A_TOOL + 1 + (1 if exports else 0)
    by_resources = (MOST_RESOURCES - _OF_A_GROUPS_DATA) // of_a_tool
    return min(by_resources, (MOST_OUTPUTS - _OUTPUTS_BESIDE) // _OUTPUTS_OF_A_TOOL)


class ToolGroups:
    """The constructs in which tools are made.

    Args:
        stack: the agent stack.
        tools: the declarations by name.
        grouped: they are too many for it.
        exports: spans are exported, so that a tool is a resource more.

    Attributes:
        grouped: whether they are in nested stacks.
        members: with groups, the tools of each.

    Raises:
        ConfigurationError: they are too many even for nested stacks.
    """

    def __init__(self, stack: Construct, tools: Mapping[str, AnyTool], *, grouped: bool, exports: bool = False) -> None:
        self.grouped = grouped
        self.members: dict[str, dict[str, AnyTool]] = {}
        self._stack = stack
        self._nested: dict[str, NestedStack] = {}
        if not grouped:
            return
        most = count_most_of_a_group(exports=exports)
        for name, tool in sorted(tools.items()):
            self.members.setdefault(find_group(name), {})[name] = tool
        for group, members in sorted(self.members.items()):
            # Tools of a remote server share one function.
            functions = len({find_function(name) for name in members})
            if functions > most:
                raise ConfigurationError(
                    f"{len(tools)} tools are too many: {functions} functions of them belong into one nested stack, "
                    f"which has room for {most}",
                    fix=f"deploy fewer tools: about {GROUPS * most * 3 // 4} fit",
                )
            self._nested[group] = NestedStack(stack, f"tools-{group}", description=f"Pentad: tools of group {group}")

    def get_scope(self, tool: str) -> Construct:
        """Return where a tool's function is made."""
        return self._nested[find_group(tool)] if self.grouped else self._stack

    def get_nested(self, group: str) -> NestedStack:
        """Return a group's stack."""
        return self._nested[group]
