"""A workflow as data: what each of its steps does. The order of the steps is in its state machine, and only there.

Made at synth from ``infra/workflows/<name>.py``, shipped to the functions in the catalog.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    StringConstraints,
    model_validator,
)

from pentad.domain.declarations.asking import AskingStep
from pentad.domain.declarations.schedules import ScheduleSpec
from pentad.domain.ids import AgentName, ToolName
from pentad.domain.usage import Limits, Usage
from pentad.domain.values import FrozenValue

STEP_PATTERN = r"^[a-z][a-z0-9_]{0,40}$"
"""A step's name: what templates and branches call its result by."""
StepName = Annotated[str, StringConstraints(pattern=STEP_PATTERN)]
STEPS = 99
"""Steps of one workflow at most: the last two digits of a place are the step's number."""
ROUNDS = 999
"""Times at most that a step may be done: the rounds of nested loops multiplied."""
EXPORTS = 8
"""Fields of one result at most that go through the state machine."""
EXPORT_CHARACTERS = 100
"""Characters of an exported text at most: what is longer is no field to branch on."""


class AgentStep(FrozenValue):
    """An agent answers: a run of its own, in a nested execution."""

    kind: Literal["agent"] = "agent"
    name: StepName
    number: int = Field(ge=1, le=STEPS, description="its place in the workflow's file; results are stored by it")
    agent: AgentName
    prompt: str = Field(min_length=1, description="template: {{input}}, {{step}} or {{step.field}}")


class ModelStep(FrozenValue):
    """One call of the gateway."""

    kind: Literal["model"] = "model"
    name: StepName
    number: int = Field(ge=1, le=STEPS)
    task: str = "reason"
    system: str = ""
    prompt: str = Field(min_length=1)
    output_schema: dict[str, Any] | None = Field(default=None, description="JSON Schema; the result has its fields")
    exports: tuple[str, ...] = Field(
        default=(), max_length=EXPORTS, description="small fields that branches and loops may look at"
    )


class ToolStep(AskingStep):
    """A tool runs, with the policy, the ledger of effects and the audit of every tool call; humans where it asks."""

    kind: Literal["tool"] = "tool"
    name: StepName
    number: int = Field(ge=1, le=STEPS)
    tool: ToolName
    arguments: dict[str, Any] = Field(description="values; strings may be templates")
    from_input: bool = Field(
        default=False, description="the arguments are the JSON object that the run was started with"
    )


class HumanStep(AskingStep):
    """A human approves, edits, rejects or answers."""

    kind: Literal["human"] = "human"
    name: StepName
    number: int = Field(ge=1, le=STEPS)
    asks: Literal["approval", "question"] = "approval"
    text: str = Field(min_length=1, description="template: what is shown")


class TextStep(FrozenValue):
    """A text put together from earlier results, without a model."""

    kind: Literal["text"] = "text"
    name: StepName
    number: int = Field(ge=1, le=STEPS)
    text: str = Field(min_length=1, description="template")


AnyStep = Annotated[AgentStep | ModelStep | ToolStep | HumanStep | TextStep, Field(discriminator="kind")]


class WorkflowSpec(FrozenValue):
    """One workflow: ``infra/workflows/<name>.py``."""

    name: AgentName
    description: str = Field(min_length=1)
    steps: dict[str, AnyStep] = Field(description="by name", max_length=STEPS)
    certain: tuple[StepName, ...] = Field(
        default=(), max_length=STEPS, description="steps that are done however branches and loops go"
    )
    answer: str = Field(min_length=1, description="template: what the run answers")
    limits: Limits = Limits()
    session_days: int = Field(default=30, ge=1, le=3650)
    schedules: tuple[ScheduleSpec, ...] = Field(default=(), max_length=10)
    if_busy: Literal["reject", "enqueue", "interrupt"] = "reject"

    @model_validator(mode="after")
    def _check_schedule_names(self) -> Self:
        names = [one.name for one in self.schedules]
        if len(names) != len(set(names)):
            raise ValueError("two schedules have the same name")
        return self

    @property
    def tools(self) -> tuple[str, ...]:
        """The tools of its tool steps, sorted: what runs of the workflow may use."""
        return tuple(sorted({step.tool for step in self.steps.values() if isinstance(step, ToolStep)}))


class StepResult(FrozenValue):
    """What a step came to, at one place of a run: the words that the state machine refers to."""

    tenant_id: str
    run_id: str
    place: int = Field(ge=1, description="round * 100 + number; see `place_of`")
    name: StepName
    status: Literal["succeeded", "failed", "approved", "rejected", "answered", "expired"]
    text: str
    fields: dict[str, Any] | None = Field(default=None, description="of a structured output")
    child_run_id: str | None = Field(default=None, description="the run of an agent's step")
    degraded: bool = False
    notices: tuple[str, ...] = ()
    provider: str | None = None
    model: str | None = None
    usage: Usage = Usage()
    cost_nanousd: int = Field(default=0, ge=0)
    taint: tuple[str, ...] = Field(default=(), description="sources of text from outside that may be in it")
    began_at: datetime
    ended_at: datetime
    asked: str | None = Field(default=None, description="hash of all that a model or an agent was asked")
    taken_from_run_id: str | None = Field(
        default=None, description="the failed run that did it, where it was taken over"
    )


class Numbered(FrozenValue):
    """A run's steps as its definition numbered them.

    Attributes:
        run_id: the run.
        numbers: of the steps, by their names.
    """

    run_id: str
    numbers: dict[StepName, int]


class Plan(FrozenValue):
    """What a run that has begun goes by: its own numbers, and the failed runs that it goes on for.

    A run keeps the definition that it began with, and another run of the workflow may have another one: a step is known
    by its name and the round of the loops around it.

    Attributes:
        tenant_id: the tenant.
        own: this run.
        earlier: the failed runs, the newest first.
    """

    tenant_id: str
    own: Numbered
    earlier: tuple[Numbered, ...] = ()


def place_of(number: int, round_: int) -> int:
    """Return the place of a step's result: the number that its record, call and approval in the run have.

    Args:
        number: the step's number in its workflow.
        round_: how often loops around the step began again before, counted so that no count comes twice.
    """
    return round_ * (STEPS + 1) + number


def number_of(place: int) -> int:
    """Return the number of the step of a place; see `place_of`."""
    return place % (STEPS + 1)


def round_of(place: int) -> int:
    """Return the round of a place; see `place_of`."""
    return place // (STEPS + 1)
