"""What a deployment offers to clients of the Model Context Protocol: nothing but what ``mcp.yaml`` names."""

from typing import Literal

from pydantic import Field

from pentad.domain.ids import TOOL_CHARACTERS, AgentName
from pentad.domain.values import FrozenValue

CHECK_RUN = "check_run"
"""The tool that is always served beside the others: what came of a call that took longer than a request may."""


class ServedSpec(FrozenValue):
    """One tool that MCP clients see: an agent, a workflow, or a tool of the project."""

    name: str = Field(
        pattern=rf"^[a-z][a-z0-9_-]{{0,{TOOL_CHARACTERS - 1}}}$",
        description="as clients call it: the name in the project",
    )
    kind: Literal["agent", "tool"] = Field(description="agent: takes a message; a workflow does too")
    runs: AgentName = Field(description="the agent or workflow whose run a call is")
