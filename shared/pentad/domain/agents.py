"""What an agent and a tool are, as data: read at synth, checked there, shipped to the functions as the catalog."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pentad.domain.errors import ConfigurationError
from pentad.domain.ids import AgentName, ToolName
from pentad.domain.usage import Limits


class Spec(BaseModel):
    """Base of the immutable definitions below; an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ToolSpec(Spec):
    """What the model and the policy need to know of a tool; the function itself is elsewhere."""

    name: ToolName
    description: str = Field(min_length=1, max_length=4000)
    input_schema: dict[str, Any] = Field(description="JSON Schema, type object")
    effects: Literal["none", "internal", "external"] = Field(
        description="none: pure or read only; internal: changes our own stores; external: reaches the outside"
    )
    approval: Literal["never", "always"] = "never"
    idempotent: bool = Field(
        default=False, description="running it again with the same effect key changes nothing more"
    )
    reversible: bool = Field(default=False, description="it has an undo")
    timeout_seconds: int = Field(default=30, ge=1, le=900)
    trusted_output: bool = Field(default=True, description="false: its output holds text from outside")


class KnowledgeSpec(Spec):
    """How an agent retrieves."""

    top_k: int = Field(default=6, ge=0, le=50, description="passages given with a question; 0 turns recall off")
    minimum_score: float = Field(default=0.15, ge=-1, le=1, description="cosine similarity below which none is given")


class ContextSpec(Spec):
    """The token budget of an agent's context."""

    high_water_tokens: int = Field(default=60_000, ge=1000)
    low_water_tokens: int = Field(default=30_000, ge=500)


class AgentSpec(Spec):
    """One agent: ``agents/<name>/agent.yaml`` with its ``prompt.md``."""

    name: AgentName
    description: str = Field(min_length=1)
    prompt: str = Field(min_length=1, description="the system prompt: prompt.md")
    task: str = Field(default="reason", description="the gateway's task: routing.yaml maps it to a tier and a chain")
    tools: tuple[ToolName, ...] = ()
    knowledge: KnowledgeSpec = KnowledgeSpec()
    context: ContextSpec = ContextSpec()
    limits: Limits = Limits()
    approval_seconds: int = Field(default=86_400, ge=60, le=31_536_000, description="how long an approval waits")
    session_days: int = Field(default=30, ge=1, le=3650, description="a session's time to live after its last use")


class Catalog(Spec):
    """All agents and tools of a deployment."""

    agents: dict[str, AgentSpec]
    tools: dict[str, ToolSpec]

    def agent(self, name: str) -> AgentSpec:
        """Return an agent.

        Raises:
            KeyError: there is none of that name.
        """
        return self.agents[name]

    def tools_of(self, agent: AgentSpec) -> tuple[ToolSpec, ...]:
        """Return the agent's tools in a stable order, so that the cacheable prefix stays the same.

        Raises:
            ConfigurationError: the agent names a tool that does not exist.
        """
        missing = sorted(set(agent.tools) - set(self.tools))
        if missing:
            raise ConfigurationError(
                f"agent {agent.name} names tools that do not exist: {', '.join(missing)}",
                field="tools",
                fix="add functions/tools/<name>.py or remove the name from agent.yaml",
            )
        return tuple(self.tools[name] for name in sorted(agent.tools))
