"""A workflow as data: what each of its steps does. The order of the steps is in its state machine, and only there.

Made at synth from ``infra/workflows/<name>.py``, shipped to the functions in the catalog.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from pentad.domain.ids import AgentName, ToolName
from pentad.domain.usage import Limits

STEP_PATTERN = r"^[a-z][a-z0-9_]{0,40}$"
"""A step's name: what templates and branches call its result by."""
StepName = Annotated[str, StringConstraints(pattern=STEP_PATTERN)]


class Value(BaseModel):
    """Base of the immutable definitions below; an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AgentStep(Value):
    """An agent answers: a run of its own, in a nested execution."""

    kind: Literal["agent"] = "agent"
    name: StepName
    number: int = Field(ge=1, description="its place in the workflow's file; steps of its run are numbered from it")
    agent: AgentName
    prompt: str = Field(min_length=1, description="template: {{input}}, {{step}} or {{step.field}}")


class ModelStep(Value):
    """One call of the gateway."""

    kind: Literal["model"] = "model"
    name: StepName
    number: int = Field(ge=1)
    task: str = "reason"
    system: str = ""
    prompt: str = Field(min_length=1)
    output_schema: dict[str, Any] | None = Field(default=None, description="JSON Schema; the result has its fields")
    exports: tuple[str, ...] = Field(default=(), description="small fields that branches and loops may look at")


class ToolStep(Value):
    """A tool runs, with the policy, the ledger of effects and the audit of every tool call."""

    kind: Literal["tool"] = "tool"
    name: StepName
    number: int = Field(ge=1)
    tool: ToolName
    arguments: dict[str, Any] = Field(description="values; strings may be templates")


class HumanStep(Value):
    """A human approves, edits, rejects or answers."""

    kind: Literal["human"] = "human"
    name: StepName
    number: int = Field(ge=1)
    asks: Literal["approval", "question"] = "approval"
    text: str = Field(min_length=1, description="template: what is shown")
    group: str = "operators"
    quorum: int = Field(default=1, ge=1, le=20)
    seconds: int = Field(default=86_400, ge=60, le=31_536_000)
    on_expiry: Literal["reject", "approve", "escalate"] = "reject"
    escalate_to: tuple[str, ...] = ()
    remind_seconds: int | None = Field(default=None, ge=60)


AnyStep = Annotated[AgentStep | ModelStep | ToolStep | HumanStep, Field(discriminator="kind")]


class WorkflowSpec(Value):
    """One workflow: ``infra/workflows/<name>.py``."""

    name: AgentName
    description: str = Field(min_length=1)
    steps: dict[str, AnyStep] = Field(description="by name")
    answer: str = Field(min_length=1, description="template: what the run answers")
    limits: Limits = Limits()
    session_days: int = Field(default=30, ge=1, le=3650)
