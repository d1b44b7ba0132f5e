"""A workflow's definition in the twin's interpreter, its functions in this process over stores in memory."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn

from infra.config import read_stage
from infra.orchestration.fragments import Flow, Fragment
from infra.orchestration.machines.workflow_files import write
from pentad.domain.declarations.agents import AgentSpec, Catalog
from pentad.domain.declarations.workflows import WorkflowSpec
from pentad.domain.errors import PentadError, StoreUnavailable
from pentad.domain.ids import make_id
from pentad.domain.messages import Message, TextBlock
from pentad.domain.models import Attempt, ChatReply, ChatRequest, Outcome, StopReason
from pentad.domain.runs import CallStatus, Run, RunStatus
from pentad.domain.usage import Usage
from pentad.models.budgets.adapters.budgets_memory import MemoryBudget, MemoryBudgetStore, MemoryPledges
from pentad.models.budgets.admission import BudgetAdmission
from pentad.models.catalog.catalog import load
from pentad.observability.adapters.null import NullTelemetry
from pentad.orchestration.lifecycle.redrive import Redrive
from pentad.orchestration.lifecycle.start import RunRequest
from pentad.orchestration.runs.machine_arns import MachineArns
from pentad.orchestration.workflows.adapters.results_memory import MemoryResults
from pentad.orchestration.workflows.agent_steps import Children
from pentad.orchestration.workflows.human_steps import Humans
from pentad.orchestration.workflows.model_steps import Task
from pentad.orchestration.workflows.run_begins import Begin
from pentad.orchestration.workflows.run_ends import Ends, Finished, Stopped
from pentad.orchestration.workflows.steps import Entered, EnteredStep, Stores
from pentad.orchestration.workflows.tool_steps import Calls
from pentad.tools.declare.discovery import AnyTool, discover
from pentad.tools.runtime.adapters.effects_memory import MemoryEffects
from tests.twin.machine.stage import ACCOUNT, REGION, Handler, Stage
from tests.unit.orchestration.world import TENANT, World

Json = dict[str, Any]
AGENTS = {
    name: AgentSpec(name=name, description=name, prompt=f"You are {name}.") for name in ("writer", "checker", "broken")
}
AGENTS["quick"] = AgentSpec(name="quick", description="quick", prompt="You are quick.", pattern="reply")
_FUNCTIONS = ("gateway", "workflow", "deliver", "run_tool")
_PREFIX = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:pentad-dev-"


@lru_cache(maxsize=8)
def _discovered() -> dict[str, AnyTool]:
    return discover()


def synthesized(
    build: Callable[[Flow], Fragment], name: str = "tried", tools: Mapping[str, AnyTool] | None = None
) -> tuple[WorkflowSpec, Json]:
    """Return a workflow as data, and its definition as CloudFormation would get it."""
    tools = _discovered() if tools is None else tools
    app = App(context={"stage": "dev"})
    stack = Stack(app, "stack", env=Environment(account=ACCOUNT, region=REGION))
    flow = Flow(stack, name, file=Path(f"infra/workflows/{name}.py"), stage=read_stage(app), agents=AGENTS, tools=tools)
    written = write(flow, build)
    functions = [*_FUNCTIONS, *(f"tool:{tool}" for tool in tools)]
    flow.bind({one: f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{one.replace(':', '-')}" for one in functions})
    graph = sfn.ChainDefinitionBody.from_chainable(written.chain)
    role = iam.Role(stack, "role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
    sfn.StateMachine(stack, "machine", definition_body=graph, query_language=sfn.QueryLanguage.JSONATA, role=role)
    template = app.synth().get_stack_by_name("stack").template
    [machine] = [one for one in template["Resources"].values() if one["Type"] == "AWS::StepFunctions::StateMachine"]
    text = machine["Properties"]["DefinitionString"]
    if not isinstance(text, str):
        text = "".join(part if isinstance(part, str) else "aws" for part in text["Fn::Join"][1])
    # The interpreter alone has no aliases; on a whole twin the machines have theirs.
    # A wait for humans takes a second.
    return written.spec, json.loads(text.replace(":live", "").replace(" : 3600 %}", " : 1 %}"))


Say = Callable[[str, int], str | PentadError]


@dataclass
class Answers:
    """Answers model steps by a function of the step's name and of how often it was asked."""

    say: Say
    asked: list[str] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    world: World | None = None

    def complete(self, request: ChatRequest, *, deadline: float) -> ChatReply:
        assert self.world is not None and request.context.step is not None
        number = request.context.step % 100
        [name] = [one.name for one in self.world.catalog.workflows["tried"].steps.values() if one.number == number]
        said = self.say(name, self.asked.count(name))
        self.asked.append(name)
        self.prompts.append(request.messages[-1].text)
        if isinstance(said, PentadError):
            raise said
        self._record(request, self.world)
        message = Message(
            message_id="m", role="assistant", blocks=(TextBlock(text=said),), created_at=self.world.clock()
        )
        return ChatReply(
            message=message, stop=StopReason.END, usage=Usage(output_tokens=1), cost_nanousd=10, provider="p", model="m"
        )

    def _record(self, request: ChatRequest, world: World) -> None:
        attempt = Attempt(
            attempt_id=make_id("att", world.clock()),
            context=request.context,
            provider="p",
            model="m",
            tier="primary",
            link=0,
            number=1,
            outcome=Outcome.OK,
            started_at=world.clock(),
            duration_ms=1,
            usage=Usage(output_tokens=1),
            cost_nanousd=10,
        )
        world.ledger.record(attempt)


class Bench:
    """One workflow over one world.

    Args:
        stage: the interpreter.
        build: the workflow.
        say: what models answer.
        broken: agents whose runs fail.
        tools: the tools there are; the project's own where none are given.
        made: the workflow as synthesized, where it was before.
    """

    def __init__(
        self,
        stage: Stage,
        build: Callable[[Flow], Fragment],
        say: Say,
        *,
        broken: frozenset[str] = frozenset(),
        tools: Mapping[str, AnyTool] | None = None,
        made: tuple[WorkflowSpec, Json] | None = None,
    ) -> None:
        self.stage = stage
        self.spec, self.definition = made or synthesized(build, tools=tools)
        specs = {name: tool.spec for name, tool in (tools or _discovered()).items()}
        catalog = Catalog(agents=AGENTS, tools=specs, workflows={"tried": self.spec})
        self.world = World(catalog)
        self.model = Answers(say, world=self.world)
        self.broken = broken
        self.results = MemoryResults()
        self.stores = Stores(catalog, self.world.runs, self.world.sessions, self.results, self.world.clock)
        self.effects = MemoryEffects()
        self.ends, self.calls = Ends(self.stores), Calls(self.stores, self.effects)
        self.children = Children(self.stores, MachineArns(_PREFIX, self.stores.catalog))
        self.humans = Humans(self.stores, self.world.approvals, self.world.asking)
        self.decision: tuple[str, Json] | None = None
        self.budgets = MemoryBudgetStore()
        self.begin = Begin(self.stores, self._make_admission())
        self.task = Task(self.stores, self.model, self.world.ledger)
        self.loses_first = False
        self.down: set[str] = set()
        self.ran: list[str] = []
        self._lost: set[tuple[str, str | None]] = set()
        functions = {
            "gateway": self._gateway,
            "workflow": self._workflow,
            "deliver": self._deliver,
            "agent": self._agent,
            "run_tool": self._tool,
        }
        stage.functions.update({name: self._losing(function) for name, function in functions.items()})

    def run(self, message: str = "Go.") -> Run:
        """Run the workflow to its execution's end and return its run."""
        run = self.world.start(TENANT, RunRequest(agent="tried", message=message), trigger="api")
        for spec in AGENTS.values():
            kind = "EXPRESS" if spec.pattern == "reply" else "STANDARD"
            self._machine(f"pentad-dev-{spec.machine}", _AGENT, kind)
        return self._execute(run)

    def redrive(self, failed: Run) -> Run:
        """Let a failed run go on to its execution's end and return the new run."""
        world = self.world
        again = Redrive(
            world.catalog, world.runs, world.sessions, self.effects, world.start, world.engine, now=world.clock
        )
        return self._execute(again(TENANT, failed.run_id))

    def define(self, build: Callable[[Flow], Fragment]) -> None:
        """Deploy another version of the workflow."""
        self.spec, self.definition = synthesized(build)
        self.world.catalog.workflows["tried"] = self.spec

    def _execute(self, run: Run) -> Run:
        arn = self.stage.create(self.definition)
        reference = {"tenant": TENANT, "run": run.run_id, "session": run.session_id, "agent": "tried"}
        self.execution = self.stage.start_execution(arn, reference, name=run.run_id)
        self.ended = self.stage.wait(self.execution)
        return self.world.runs.get(TENANT, run.run_id)

    def words(self, step: str) -> list[str]:
        """Return the words of all results of a step, in the order of their places."""
        run = json.loads(self.ended["input"])["run"]
        return [result.text for result in self.results.list_for_run(TENANT, run) if result.name == step]

    def is_models(self, place: int) -> bool:
        """Tell whether a place is of a model's step."""
        return any(one.number == place % 100 and one.kind == "model" for one in self.spec.steps.values())

    @property
    def transitions(self) -> int:
        """States entered."""
        return sum(kind.endswith("StateEntered") for kind in self.stage.types(self.execution))

    def _make_admission(self) -> BudgetAdmission:
        budget, providers = MemoryBudget(self.budgets), {"anthropic", "openai"}
        return BudgetAdmission(budget, self.budgets, MemoryPledges(), load(), providers, NullTelemetry())

    def _losing(self, function: Handler) -> Handler:
        """Return a function whose first answer to each operation of each step is lost, where the test says so."""

        def call(event: Any, context: Any) -> Any:
            answer = function(event, context)
            key = (event.get("op", "agent"), event.get("step"))
            if self.loses_first and key not in self._lost and key[0] not in ("ask", "agent"):
                self._lost.add(key)
                raise StoreUnavailable("the answer was lost")
            return answer

        return call

    def _machine(self, name: str, definition: Json, kind: str) -> None:
        client = self.stage.client("stepfunctions")
        arns = [one["stateMachineArn"] for one in client.list_state_machines()["stateMachines"]]
        arn = f"{_PREFIX.removesuffix('pentad-dev-')}{name}"
        if arn not in arns:
            self.stage.create(definition, name=name, kind=kind)

    def _gateway(self, event: Json, _context: Any) -> Any:
        if event["op"] == "begin":
            return self.begin(Entered.model_validate({key: value for key, value in event.items() if key != "op"}))
        at = EnteredStep.model_validate({key: value for key, value in event.items() if key != "op"})
        return self.task(at, deadline=time.time() + 5)

    def _workflow(self, event: Json, _context: Any) -> Any:
        fields = dict(event)
        operation = fields.pop("op")
        if operation == "finish":
            return self.ends.finish(Finished.model_validate(fields))
        if operation == "stop":
            return self.ends.stop(Stopped.model_validate(fields))
        if operation == "ask":
            return self._ask(fields.pop("task_token"), EnteredStep.model_validate(fields))
        strict = fields.pop("strict", False)
        error, cause = fields.pop("error", None), fields.pop("cause", "")
        at = EnteredStep.model_validate(fields)
        if operation == "call_done":
            return self.calls.collect(at, error, cause)
        if operation == "human_done":
            return self.humans.collect(at, strict=strict)
        operations = {
            "settle": self.humans.settle,
            "expire": self.humans.expire,
            "child": self.children.begin,
            "child_done": self.children.collect,
            "call": self.calls.plan,
            "text": self.ends.build_text,
        }
        return operations[operation](at)

    def _ask(self, token: str, at: EnteredStep) -> Json:
        """Ask, and decide at once where the test says how; else nobody decides, and the wait's time runs out."""
        asked = self.humans.ask(at, token)
        self.ran.append(at.step)
        if self.decision is None:
            self.world.clock.advance(100_000)
            return asked
        verb, fields = self.decision
        self.world.decide(TENANT, asked["approval"], verb, by="ann", **fields)  # type: ignore[arg-type]
        output = json.dumps(self.world.engine.woken[token])
        self.stage.client("stepfunctions").send_task_success(taskToken=token, output=output)
        return asked

    def _deliver(self, event: Json, _context: Any) -> Any:
        if event["op"] == "abort":
            run = self.world.deliver.abort(event["tenant"], event["run"], event["error"], event["cause"])
        else:
            run = self.world.deliver.deliver(event["tenant"], event["run"], event["step"])
        return {"tenant": run.tenant_id, "run": run.run_id, "status": run.status.value}

    def _tool(self, event: Json, _context: Any) -> Any:
        call = self.world.runs.get_call(event["tenant"], event["run"], event["step"], event["index"])
        if call.tool in self.down:
            raise RuntimeError("the tool is down")
        self.ran.append(call.tool)
        untrusted = not self.world.catalog.tools[call.tool].trusted_output
        result = f"computed {call.arguments.get('expression')}"
        done = {"status": CallStatus.SUCCEEDED, "result": result, "untrusted": untrusted}
        self.world.runs.save_call(call.model_copy(update=done))
        return {"index": event["index"], "status": "succeeded"}

    def _agent(self, event: Json, _context: Any) -> Any:
        run = self.world.runs.get(event["tenant"], event["run"])
        if run.status.ended:
            return {}
        if run.agent in self.broken:
            self.world.runs.finish(
                run.tenant_id, run.run_id, RunStatus.FAILED, at=self.world.clock(), answer=None, error="it broke"
            )
            raise RuntimeError("the agent broke")
        said = self.world.sessions.read(run.tenant_id, run.session_id, 0, 0)[0].message.text
        self.ran.append(run.agent)
        answer = f"{run.agent}: {said}"
        self.world.runs.finish(run.tenant_id, run.run_id, RunStatus.SUCCEEDED, at=self.world.clock(), answer=answer)
        return {}


_AGENT: Json = {
    "QueryLanguage": "JSONata",
    "StartAt": "Answer",
    "States": {
        "Answer": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": "agent", "Payload": "{% $states.input %}"},
            "End": True,
        }
    },
}


def states_in(definition: Json) -> Iterator[tuple[str, Json]]:
    """Yield every state of a definition, those of branches as well."""
    for name, state in definition["States"].items():
        yield name, state
        for branch in state.get("Branches", []):
            yield from states_in(branch)
