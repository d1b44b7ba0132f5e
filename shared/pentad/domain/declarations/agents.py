"""What an agent and a tool are, as data: read at synth, checked there, shipped to the functions as the catalog."""

from typing import Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from pentad.domain.declarations.approval_rules import ApprovalRules
from pentad.domain.declarations.asking import DEFAULT_GROUP, GROUP_PATTERN, GroupName, is_four_eyes, next_groups
from pentad.domain.declarations.policy import PolicySpec
from pentad.domain.declarations.rates import Rate
from pentad.domain.declarations.remote_tools import McpServerSpec
from pentad.domain.declarations.schedules import ScheduleSpec as ScheduleSpec
from pentad.domain.declarations.serving import ServedSpec
from pentad.domain.declarations.words import UserWords
from pentad.domain.declarations.workflows import ToolStep, WorkflowSpec, number_of
from pentad.domain.errors import ConfigurationError
from pentad.domain.ids import AgentName, ToolName
from pentad.domain.usage import Limits
from pentad.domain.values import FrozenValue

FIND_TOOLS = "find_tools"
"""The name of the built-in tool that finds tools which the model is not sent."""
USE_TOOL = "use_tool"
"""The name under which a model calls such a tool; the gateway opens these calls, and none leaves it."""


class Spec(FrozenValue):
    """Base of the immutable definitions below; an unknown field is an error."""


ToolData = Literal["records", "files", "checkpoints", "secrets"]
"""What of a tenant's a tool may reach: records, checkpoints of its own runs (a graph), secrets of the tenant's own."""


UndoKind = Literal["none", "reversible", "compensatable", "irreversible"]
"""``none``: it has no effect. ``compensatable``: its effect stays, and another one compensates for it."""


class ToolSpec(Spec):
    """What the model and the policy need to know of a tool; the function itself is elsewhere."""

    name: ToolName
    description: str = Field(min_length=1, max_length=16_100)
    input_schema: dict[str, Any] = Field(description="JSON Schema, type object")
    effects: Literal["none", "internal", "external"] = Field(
        description="none: pure or read only; internal: changes our own stores; external: reaches the outside"
    )
    approval: Literal["never", "always"] | ApprovalRules = Field(
        default="never", description="when a human is asked first; rules ask where one of them does"
    )
    rates: tuple[Rate, ...] = Field(default=(), max_length=8, description="how many calls may run in a time")
    idempotent: bool = Field(
        default=False, description="running it again with the same effect key changes nothing more"
    )
    parallel: bool = Field(default=True, description="false: its calls run one after the other")
    per: str | None = Field(
        default=None, description="with parallel false: the argument whose value names the record; none: by session"
    )
    reversible: bool = Field(default=False, description="it has an undo")
    compensates: bool = Field(default=False, description="its undo makes up for the effect, which stays")
    timeout_seconds: int = Field(default=30, ge=1, le=900)
    trusted_output: bool = Field(default=True, description="false: its output holds text from outside")
    any_address: bool = Field(default=False, description="it may ask any public address, so an address can tell much")
    safe_output: tuple[str, ...] = Field(
        default=(), max_length=50, description="fields of its result that are not masked; * is all of it"
    )

    @property
    def undo_kind(self) -> UndoKind:
        """What can be done about its effects afterwards."""
        if self.effects == "none":
            return "none"
        if not self.reversible:
            return "irreversible"
        return "compensatable" if self.compensates else "reversible"


class KnowledgeSpec(Spec):
    """How an agent retrieves."""

    top_k: int = Field(default=6, ge=0, le=50, description="passages given with a question; 0 turns recall off")
    minimum_relevance: float = Field(
        default=0.02,
        ge=0,
        le=1,
        description="what is less likely to answer, by the embedding model's scale, is given only where it has most of "
        "the question's words",
    )
    minimum_score: float | None = Field(
        default=None,
        ge=-1,
        le=1,
        description="the same as a cosine, in the place of minimum_relevance: for an embedding model without a scale",
    )
    collections: tuple[str, ...] = Field(
        default=(),
        max_length=50,
        description="first folders of the documents that are searched, beside users' own; all where there are none",
    )


class MemorySpec(Spec):
    """What an agent remembers of its users and conversations; ``memory: none`` switches all of it off."""

    learn: bool = Field(default=True, description="facts about its users are learned from its sessions")
    profile_tokens: int = Field(
        default=600, ge=0, le=20_000, description="of facts about the user, in front of each epoch; 0 gives none"
    )
    summary: bool = Field(default=True, description="long sessions are summarised, and the summary stands in front")
    turns: bool = Field(default=True, description="what is said is kept, to be recalled later")
    recall_tokens: int = Field(
        default=500, ge=0, le=20_000, description="of what was said earlier, given with a question; 0 gives none"
    )
    most_recall_tokens: int = Field(
        default=4000, ge=0, le=50_000, description="where the question has several parts, or much fits equally well"
    )

    @model_validator(mode="before")
    @classmethod
    def _read_none(cls, value: Any) -> Any:
        if value != "none":
            return value
        return {name: False if field.annotation is bool else 0 for name, field in cls.model_fields.items()}


class ContextSpec(Spec):
    """The token budget of an agent's context."""

    high_water_tokens: int = Field(default=60_000, ge=500)
    low_water_tokens: int = Field(default=30_000, ge=100)
    tools_percent: int = Field(
        default=10,
        ge=0,
        le=100,
        description="of the model's window that tools' definitions may take; past it, the model finds them by words",
    )
    keep_tools: tuple[ToolName, ...] = Field(
        default=(), max_length=50, description="tools that the model always has, where it finds the others by words"
    )


class BandsSpec(Spec):
    """From which confidence on a turn may do what; below ``draft`` it is escalated."""

    autonomous: float = Field(default=0.9, ge=0, le=1)
    review: float = Field(default=0.7, ge=0, le=1)
    draft: float = Field(default=0.5, ge=0, le=1)

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if not self.autonomous >= self.review >= self.draft:
            raise ValueError("bands go downwards: autonomous, then review, then draft; equal ones leave a band out")
        return self


class ConfidenceSpec(Spec):
    """How sure an agent has to be. Each source but the validators costs model calls of its own."""

    self_report: bool = Field(default=False, description="the model rates its own turn, through structured output")
    judge: bool = Field(default=False, description="a model of the fast tier rates it")
    samples: int = Field(default=0, ge=0, le=5, description="further samples whose agreement counts; 0 turns it off")
    validators: tuple[Literal["citations", "tool_errors", "schema"], ...] = ("citations", "tool_errors")
    bands: BandsSpec = BandsSpec()


class HumansSpec(Spec):
    """Who decides, and what happens where nobody does."""

    group: str = Field(default=DEFAULT_GROUP, pattern=GROUP_PATTERN)
    quorum: int = Field(default=1, ge=1, le=20)
    on_expiry: Literal["reject", "approve", "escalate"] = "reject"
    escalate_to: tuple[GroupName, ...] = Field(
        default=(), max_length=5, validate_default=True, description="the groups asked next, in order"
    )
    remind_seconds: int | None = Field(default=None, ge=60, le=604_800)
    may_ask: bool = Field(default=False, description="the agent has the tools ask_human and escalate")
    not_requester: bool | None = Field(
        default=None,
        description="who asked for the run can't approve, edit or hand on what it waits for; on where quorum is over 1",
    )
    keeps_messages: bool = Field(
        default=True,
        description="messages that come while a run waits for a human wait too, where if_busy would reject them",
    )

    @property
    def four_eyes(self) -> bool:
        """Whether others than who asked for the run have to decide."""
        return is_four_eyes(self.not_requester, self.quorum)

    @field_validator("escalate_to")
    @classmethod
    def _check_next_group(cls, groups: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return next_groups(groups, info.data.get("on_expiry"))


def name_machine(name: str, pattern: str = "loop") -> str:
    """Return the name of an agent's or workflow's state machine, without the deployment's prefix.

    The two kinds have different names, since a state machine cannot change its type: one whose pattern changes gets
    another machine, while the old one's name is taken until it is deleted.
    """
    return f"{'reply' if pattern == 'reply' else 'agent'}-{name}"


class AgentSpec(Spec):
    """One agent: ``agents/<name>/agent.yaml`` with its ``prompt.md``."""

    name: AgentName
    description: str = Field(min_length=1)
    prompt: str = Field(min_length=1, description="the system prompt: prompt.md")
    task: str = Field(default="reason", description="the gateway's task: routing.yaml maps it to a tier and a chain")
    tools: tuple[ToolName, ...] = ()
    knowledge: KnowledgeSpec = KnowledgeSpec()
    memory: MemorySpec = MemorySpec()
    context: ContextSpec = ContextSpec()
    limits: Limits = Limits()
    approval_seconds: int = Field(default=86_400, ge=60, le=31_536_000, description="how long an approval waits")
    pattern: Literal["loop", "reply"] = Field(
        default="loop", description="reply: one turn without tools, on an Express state machine"
    )
    confidence: ConfidenceSpec | None = None
    humans: HumansSpec = HumansSpec()
    if_busy: Literal["reject", "enqueue", "interrupt"] = Field(
        default="reject", description="what a request does to a session whose run has not ended"
    )
    requires: dict[str, str] = Field(
        default_factory=dict,
        max_length=16,
        description="metadata a run can't do without, with the question that asks for it",
    )
    schedules: tuple[ScheduleSpec, ...] = Field(default=(), max_length=10)
    session_days: int = Field(default=30, ge=1, le=3650, description="a session's time to live after its last use")
    words: UserWords = UserWords()

    @model_validator(mode="after")
    def _check_kept_tools(self) -> Self:
        unknown = [name for name in self.context.keep_tools if name not in self.tools]
        if unknown:
            raise ValueError(f"context.keep_tools: '{unknown[0]}' is not under tools; add it there, or remove it here")
        return self

    @property
    def machine(self) -> str:
        """The name of its state machine, without the deployment's prefix."""
        return name_machine(self.name, self.pattern)


class Catalog(Spec):
    """All agents, tools and workflows of a deployment. Agents and workflows share one space of names."""

    agents: dict[str, AgentSpec]
    tools: dict[str, ToolSpec]
    workflows: dict[str, WorkflowSpec] = Field(default_factory=dict)
    policy: PolicySpec = Field(default=PolicySpec(), description="policy.yaml")
    tool_room: dict[str, int] = Field(
        default_factory=dict,
        description="agents whose tools are too many to be sent, with the tokens that there is room for",
    )
    tool_data: dict[str, tuple[ToolData, ...]] = Field(
        default_factory=dict, description="what of a tenant's data and secrets each tool reaches; none: nothing"
    )
    mcp_servers: dict[str, McpServerSpec] = Field(
        default_factory=dict, description="remote servers whose tools are among the tools"
    )
    served: tuple[ServedSpec, ...] = Field(default=(), description="what MCP clients may call: nothing by default")

    def get_agent(self, name: str) -> AgentSpec:
        """Return an agent.

        Raises:
            KeyError: there is none of that name.
        """
        return self.agents[name]

    def find_machine(self, name: str) -> str:
        """Return the name of an agent's or workflow's state machine, without the deployment's prefix."""
        agent = self.agents.get(name)
        return name_machine(name) if agent is None else agent.machine

    def find_group(self, name: str) -> str:
        """Return the group that answers for an agent's work; that of a workflow's is `DEFAULT_GROUP`."""
        agent = self.agents.get(name)
        return DEFAULT_GROUP if agent is None else agent.humans.group

    def find_group_of_call(self, name: str, step: int) -> str:
        """Return the group that answers for a call: that of the workflow's step, else its agent's or `DEFAULT_GROUP`.

        Args:
            name: the agent or workflow.
            step: of the run; a place, of a workflow's.
        """
        flow = self.workflows.get(name)
        known = () if flow is None else flow.steps.values()
        groups = [one.group for one in known if isinstance(one, ToolStep) and one.number == number_of(step)]
        return groups[0] if groups else self.find_group(name)

    def find_words(self, name: str) -> UserWords:
        """Return what users are told in an agent's place; a workflow has the default ones."""
        agent = self.agents.get(name)
        return UserWords() if agent is None else agent.words

    def tools_of(self, agent: AgentSpec) -> tuple[ToolSpec, ...]:
        """Return the agent's tools in a stable order, so that the cacheable prefix stays the same.

        Raises:
            ConfigurationError: the agent names a tool that does not exist.
        """
        missing = sorted(set(agent.tools) - set(self.tools))
        if missing:
            raise ConfigurationError(
                f"agent '{agent.name}' names tools that do not exist: {', '.join(missing)}",
                field="tools",
                fix="add functions/tools/<name>.py or remove the name from agent.yaml",
            )
        return tuple(self.tools[name] for name in sorted(agent.tools))
