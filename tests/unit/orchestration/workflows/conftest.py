"""A workflow with a step of each kind over stores in memory."""

from dataclasses import dataclass

import pytest

from pentad.domain.declarations.agents import Catalog
from pentad.domain.declarations.workflows import (
    AgentStep,
    HumanStep,
    ModelStep,
    TextStep,
    ToolStep,
    WorkflowSpec,
    place_of,
)
from pentad.domain.runs import Run
from pentad.domain.usage import Limits
from pentad.orchestration.lifecycle.start import RunRequest
from pentad.orchestration.runs.machine_arns import MachineArns
from pentad.orchestration.workflows.adapters.results_memory import MemoryResults
from pentad.orchestration.workflows.agent_steps import Children
from pentad.orchestration.workflows.human_steps import Humans
from pentad.orchestration.workflows.model_steps import Task
from pentad.orchestration.workflows.run_ends import Ends
from pentad.orchestration.workflows.steps import Entered, EnteredStep, Stores
from pentad.orchestration.workflows.tool_steps import Calls
from tests.unit.orchestration.world import CATALOG, TENANT, World

MACHINES = "arn:aws:states:eu-west-1:1:stateMachine:pentad-dev-"
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
STEPS = (
    ModelStep(name="facts", number=1, prompt="Read {{input}}", output_schema=SCHEMA, exports=("n",)),
    AgentStep(name="helper", number=2, agent="plain", prompt="Look at {{facts}}"),
    ToolStep(name="sum", number=3, tool="calculator", arguments={"expression": "{{facts.n}}"}),
    HumanStep(name="sign", number=4, text="Sign {{facts.n}}", group="bosses", remind_seconds=600),
    TextStep(name="words", number=5, text="n={{facts.n}}"),
    ToolStep(name="keep", number=6, tool="notes", arguments={"text": "{{facts.n}}"}),
)
SPEC = WorkflowSpec(
    name="flow",
    description="a flow",
    steps={step.name: step for step in STEPS},
    answer="{{words}}",
    limits=Limits(steps=3, seconds=600),
)


@dataclass
class Bench:
    """Services over one world, and a run that has begun."""

    world: World
    stores: Stores
    run: Run
    ends: Ends
    task: Task
    children: Children
    calls: Calls
    humans: Humans

    @property
    def entered(self) -> Entered:
        """The run's states."""
        return Entered(tenant_id=TENANT, run_id=self.run.run_id, session_id=self.run.session_id, agent="flow")

    def at(self, step: str, *, round_: int = 0, retry: int = 0) -> EnteredStep:
        """Return a state of a step; its templates refer to the facts of the first round."""
        place = place_of(SPEC.steps[step].number, round_)
        fields = self.entered.model_dump() | {"step": step, "place": place, "refs": {"facts": 1, "words": 5}}
        return EnteredStep.model_validate(fields | {"retry": retry})

    def fresh(self) -> Run:
        """Return the run as it is stored."""
        return self.world.runs.get(TENANT, self.run.run_id)

    def facts(self) -> None:
        """Do the first step."""
        self.world.model.script = ['{"n": 3}']
        self.task(self.at("facts"), deadline=0)


@pytest.fixture
def bench() -> Bench:
    return make_bench(CATALOG)


def make_bench(catalog: Catalog, spec: WorkflowSpec = SPEC, message: str = "the document") -> Bench:
    """Return a run of the workflow that has begun, over the agents of a catalog."""
    world = World(catalog.model_copy(update={"workflows": {"flow": spec}}))
    stores = Stores(world.catalog, world.runs, world.sessions, MemoryResults(), world.clock, world.switches)
    run = world.start(TENANT, RunRequest(agent="flow", message=message, session_id="s1"), trigger="api")
    made = Bench(
        world,
        stores,
        run,
        Ends(stores),
        Task(stores, world.model, world.ledger),
        Children(stores, MachineArns(MACHINES, stores.catalog)),
        Calls(stores),
        Humans(stores, world.approvals, world.asking),
    )
    made.ends.begin(made.entered)
    return made
