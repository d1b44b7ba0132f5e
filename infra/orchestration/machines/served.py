"""What ``mcp.yaml`` serves: agents and workflows as they are, and for each tool a workflow of one step."""

from collections.abc import Collection, Mapping
from pathlib import Path

from constructs import Construct

from infra.config import Stage
from infra.orchestration.fragments.flow import Flow
from infra.orchestration.fragments.steps import ToolRun
from infra.orchestration.machines.workflow_files import Written, write
from pentad.domain.declarations.agents import AgentSpec
from pentad.domain.declarations.asking import Approvers
from pentad.domain.declarations.policy import PolicySpec
from pentad.domain.declarations.serving import CHECK_RUN, ServedSpec
from pentad.domain.errors import ConfigurationError
from pentad.domain.ids import derive_id
from pentad.domain.usage import Limits
from pentad.tools.declare.discovery import AnyTool
from pentad.tools.mcp.project_file import NAME, read_mcp_file
from pentad.tools.results.read import READ_RESULT

_STEP = "call"
_LONGEST = 40
_PREFIX = "mcp-"


def name_flow(tool: str) -> str:
    """Return the name of the workflow by which a served tool runs: at most 40 characters, as of all workflows."""
    name = f"{_PREFIX}{tool.replace('_', '-')}"
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 7]}-{derive_id('t', tool)[-6:]}"


def list_served_flows(root: Path) -> list[str]:
    """Return the names of the workflows of served tools, unread."""
    return [name_flow(tool) for tool in read_mcp_file(root).serve.tools]


def read_served(
    scope: Construct,
    root: Path,
    *,
    stage: Stage,
    agents: Mapping[str, AgentSpec],
    workflows: Collection[str],
    tools: Mapping[str, AnyTool],
    policy: PolicySpec | None = None,
) -> tuple[dict[str, Written], tuple[ServedSpec, ...]]:
    """Return the workflows of served tools, and all that is served.

    Args:
        scope: the stack.
        root: the project's folder.
        stage: the stage.
        agents: the agents there are.
        workflows: the names of the project's own workflows.
        tools: the tools there are.
        policy: policy.yaml; the default one where there is none.

    Raises:
        ConfigurationError: the file names what there is not, or two things by one name.
    """
    serve = read_mcp_file(root).serve
    machines = {*agents, *workflows}
    _check_known("serve.agents", serve.agents, machines)
    _check_known("serve.tools", serve.tools, tools)
    _check_names([*serve.agents, *serve.tools])
    flows: dict[str, Written] = {}
    for tool, approvers in serve.tools.items():
        name = name_flow(tool)
        if name in machines or name in flows:
            raise ConfigurationError(f"{NAME}: the tool '{tool}' is served by a workflow '{name}', and there is one")
        flow = Flow(scope, name, file=Path(NAME), stage=stage, agents=agents, tools=tools, policy=policy)
        flows[name] = write(flow, _OneCall(tool, tools[tool], approvers))
    served = [ServedSpec(name=name, kind="agent", runs=name) for name in serve.agents]
    served += [ServedSpec(name=tool, kind="tool", runs=name_flow(tool)) for tool in serve.tools]
    return flows, tuple(served)


class _OneCall:
    """Builds the workflow of one tool."""

    def __init__(self, name: str, tool: AnyTool, approvers: Approvers) -> None:
        self._name = name
        self._approvers = approvers
        self._seconds = tool.timeout_seconds
        self.__doc__ = f"Runs the tool '{name}' for MCP clients: the message is its arguments as a JSON object."

    def __call__(self, flow: Flow) -> ToolRun:
        flow.limits = Limits(steps=5, seconds=self._seconds + 600)
        flow.answer = f"{{{{{_STEP}}}}}"
        return flow.tool_of_message(_STEP, self._name, self._approvers)


def _check_known(field: str, names: Collection[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            there = ", ".join(sorted(known)) or "none"
            raise ConfigurationError(f"{NAME}: {field}: there is no '{name}'", field=field, fix=f"use one of: {there}")


def _check_names(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"{NAME}: serve names '{name}' twice", fix="name each once; clients need one name")
    for taken in (CHECK_RUN, READ_RESULT):
        if taken in names:
            raise ConfigurationError(f"{NAME}: '{taken}' is the name of a tool that is always served", fix="rename it")
