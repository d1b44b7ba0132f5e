"""A deployment of the loop: its definition, the real handlers and services, stores in memory, and faults on demand."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from functions.memory import recall
from functions.models import gateway
from functions.orchestration import await_human, deliver
from infra.orchestration.machines.loop import EVENT_LIMIT, build_definition
from pentad.domain.declarations.agents import AgentSpec, Catalog, ContextSpec, HumansSpec
from pentad.domain.errors import ToolBusy
from pentad.domain.ids import approval_id
from pentad.domain.runs import Run
from pentad.domain.usage import Limits
from pentad.memory.context.recall import Recall
from pentad.models.shares.adapters.shares_memory import MemoryShares
from pentad.models.shares.fair_share import FairShare
from pentad.observability.adapters.memory import MemoryTelemetry
from pentad.orchestration.lifecycle.start import RunRequest
from pentad.orchestration.runs.adapters.engine_stepfunctions import StepFunctions
from pentad.runtime import entrypoint
from pentad.runtime.wiring import await_human as await_human_wiring
from pentad.runtime.wiring import deliver as deliver_wiring
from pentad.runtime.wiring import gateway as gateway_wiring
from pentad.runtime.wiring import recall as recall_wiring
from pentad.tools.declare.declare import Tool, ToolContext, tool
from pentad.tools.records.adapters.records_memory import MemoryRecords
from pentad.tools.runtime.adapters.audit_memory import MemoryAudit
from pentad.tools.runtime.adapters.effects_memory import MemoryEffects
from pentad.tools.runtime.adapters.functions_memory import MemoryFunctions
from pentad.tools.runtime.handed import HandedCall, ToolAnswer
from pentad.tools.runtime.runner import Invocation, ToolRunner
from tests.twin.machine.stage import ACCOUNT, REGION, Stage, Unreached, until
from tests.unit.functions.events import Context
from tests.unit.orchestration.world import TENANT, World

Json = dict[str, Any]
booked: list[str] = []
"""What `book` did: the outside world, which nobody can ask twice."""


@tool(effects="none")
def look_up(word: str) -> str:
    """Look something up."""
    return f"{word} is a word"


@tool(effects="external")
def book(seat: str, context: ToolContext) -> str:
    """Book a seat; a second booking is a second seat."""
    booked.append(seat)
    return f"booked {seat}"


@tool(effects="internal", idempotent=True, approval="always")
def keep(title: str) -> str:
    """Keep something, once a human agrees."""
    return f"kept {title}"


TOOLS: dict[str, Tool[Any, Any]] = {"look_up": look_up, "book": book, "keep": keep}


class Roomless:
    """The tools' functions, for which Lambda has no room for so long after it was first asked to run a call.

    Args:
        functions: what runs the calls then.
        seconds: for how long; 0 for a function that always has room.
    """

    def __init__(self, functions: MemoryFunctions, seconds: float = 0) -> None:
        self._functions = functions
        self._lock = threading.Lock()
        self._asked: dict[str, float] = {}
        self.seconds = seconds
        self.refused = 0

    def call(self, tool: str, handed: HandedCall, *, function: str | None) -> ToolAnswer:
        """See `ToolFunctions`."""
        with self._lock:
            now = time.monotonic()
            if now < self._asked.setdefault(f"{handed.run_id} {handed.step} {handed.index}", now) + self.seconds:
                self.refused += 1
                raise ToolBusy("no room")
        return self._functions.call(tool, handed, function=function)


@dataclass
class Fault:
    """Something that goes wrong in a state.

    Attributes:
        kind: one of `KINDS`.
        times: how often; more often than any retry where it is for good.
        after: the function has done its work, and its answer is lost; else it was never reached.
    """

    kind: str
    times: int = 1
    after: bool = False


FOR_GOOD = 1000
_NAMES = {"timeout": "Sandbox.Timedout", "kill": "Runtime.ExitError"}
KINDS = ("throttle", "timeout", "kill", "denied", "bad_json")


def fail(kind: str) -> Any:
    """Go wrong as Lambda does."""
    if kind == "throttle":
        raise Unreached(429, "TooManyRequestsException")
    if kind == "denied":
        raise Unreached(403, "AccessDeniedException")
    if kind == "bad_json":
        return b"{no json"
    raise type(_NAMES[kind], (Exception,), {})("it is gone")


class Telemetry(MemoryTelemetry):
    """The recorder, as the entrypoint binds it."""

    @contextmanager
    def bind(self, **keys: Any) -> Iterator[None]:
        yield


class Deployment:
    """One agent with its machine.

    Args:
        stage: the interpreter.
        patch: puts the services in the place of the wiring's.
        event_limit: when a run goes on in another execution.
        spec: changes of the agent.
    """

    def __init__(self, stage: Stage, patch: pytest.MonkeyPatch, *, event_limit: int = EVENT_LIMIT, **spec: Any) -> None:
        self.stage = stage
        self.agent = AgentSpec(
            **{
                "name": "clerk",
                "description": "books",
                "prompt": "You book.",
                "tools": tuple(sorted(TOOLS)),
                "knowledge": {"top_k": 0},
                "limits": Limits(steps=20),
                "context": ContextSpec(),
                "humans": HumansSpec(may_ask=True),
                **spec,
            }
        )
        self.world = World(Catalog(agents={"clerk": self.agent}, tools={name: one.spec for name, one in TOOLS.items()}))
        self.faults: dict[str, Fault] = {}
        self.lock = threading.Lock()
        self.records = MemoryRecords()
        self.effects = MemoryEffects()
        self.audit = MemoryAudit()
        self.functions = Roomless(MemoryFunctions(TOOLS, records=self.records.get_store, now=self.world.clock))
        booked.clear()
        self._wire(patch)
        self.machine = stage.create(self._definition(event_limit))

    def _wire(self, patch: pytest.MonkeyPatch) -> None:
        world, telemetry = self.world, Telemetry()
        engine = StepFunctions(self.stage.client("stepfunctions"))
        patch.setattr(world.engine, "start", lambda agent, name, payload: self._start(name, payload))
        patch.setattr(world.engine, "complete_task", engine.complete_task)
        patch.setattr(world.engine, "is_running", engine.is_running)
        found = Recall(
            sessions=world.sessions,
            vectors=None,  # type: ignore[arg-type]
            embedder=None,  # type: ignore[arg-type]
            runs=world.runs,
            telemetry=telemetry,
            clock=world.clock,
        )
        patch.setattr(recall, "load_catalog", lambda: world.catalog)
        share = FairShare(MemoryShares(), telemetry, most=10)
        patch.setattr(gateway_wiring, "make_share", lambda: share)
        patch.setattr(gateway_wiring, "make_think", lambda: world.think)
        patch.setattr(await_human_wiring, "make_asking", lambda: world.asking)
        patch.setattr(deliver_wiring, "make_deliver", lambda: world.deliver)
        patch.setattr(recall_wiring, "make_recall", lambda: found)
        patch.setattr(entrypoint, "telemetry_of", lambda service: telemetry)
        self._serve("recall", lambda event: "Recall", recall.handler)
        self._serve("gateway", lambda event: "Think", gateway.handler)
        self._serve("await-human", lambda event: _ASKS[event["op"]], await_human.handler)
        self._serve("deliver", lambda event: _ENDS[event["op"]], deliver.handler)
        self._serve("run-tool", lambda event: "Call", self._make_runner(telemetry))

    def _make_runner(self, telemetry: Telemetry) -> Callable[[Json, Any], Any]:
        runner = ToolRunner(
            catalog=self.world.catalog,
            runs=self.world.runs,
            functions=self.functions,
            effects=self.effects,
            audit=self.audit,
            telemetry=telemetry,
            now=self.world.clock,
        )

        def handler(event: Json, context: Any) -> Any:
            names = ("tenant", "run", "agent", "step", "index")
            invocation = Invocation("request-1", function=event["function"])
            return runner.execute(*(event[name] for name in names), invocation=invocation)

        return handler

    def _serve(self, name: str, state: Callable[[Json], str], handler: Callable[[Any, Any], Any]) -> None:
        def serve(event: Json, context: Any) -> Any:
            fault = self._take(state(event))
            if fault is None:
                return handler(event, Context("1"))
            if fault.after:
                handler(event, Context("1"))
            return fail(fault.kind)

        self.stage.functions[name] = serve

    def _take(self, state: str) -> Fault | None:
        with self.lock:
            fault = self.faults.get(state)
            if fault is None or fault.times == 0:
                return None
            fault.times -= 1
            return fault

    def _definition(self, event_limit: int) -> Json:
        return build_definition(
            self.agent,
            recall=_arn("recall"),
            think=_arn("gateway"),
            await_human=_arn("await-human"),
            deliver=_arn("deliver"),
            run_tool=_arn("run-tool"),
            tools={name: _arn(f"tool-{name}") for name in TOOLS},
            seconds={"recall": 30, "think": 60, "await_human": 30, "deliver": 30, "run_tool": 30},
            event_limit=event_limit,
        )

    def _start(self, name: str, payload: Json) -> str:
        return self.stage.start_execution(self.machine, payload, name)

    def start(self, message: str = "Book a seat.", **values: Any) -> Run:
        """Start a run."""
        return self.world.start(TENANT, RunRequest(agent="clerk", message=message, **values), trigger="api")

    def execution(self, run: Run) -> str:
        """Return the ARN of a run's first execution."""
        return f"{self.machine.replace(':stateMachine:', ':execution:', 1)}:{run.run_id}"

    def histories(self) -> list[list[Json]]:
        """Return the history of every execution of this machine."""
        found = self.stage.client("stepfunctions").list_executions(stateMachineArn=self.machine)["executions"]
        return [self.stage.events(one["executionArn"]) for one in found]

    def ended(self, run: Run, seconds: float = 60) -> Run:
        """Wait for a run's execution and return the run."""
        self.stage.wait(self.execution(run), seconds)
        return self.world.runs.get(TENANT, run.run_id)

    def decide(self, run: Run, step: int, decision: str = "approve") -> None:
        """Decide once the run waits, unless it ends before."""
        name = approval_id(run.run_id, step)
        client = self.stage.client("stepfunctions")

        def waits() -> bool:
            pending = any(one.approval_id == name for one in self.world.approvals.list_pending(TENANT).items)
            over = client.describe_execution(executionArn=self.execution(run))["status"] != "RUNNING"
            return pending or over

        until(waits, 30)
        if any(one.approval_id == name for one in self.world.approvals.list_pending(TENANT).items):
            self.world.decide(TENANT, name, decision, by="ann", reason="because")  # type: ignore[arg-type]


_ASKS = {"request": "AwaitHuman", "expire": "Expire"}
_ENDS = {"deliver": "Deliver", "abort": "Abort", "call_failed": "CallFailed"}


def _arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def check_end(deployment: Deployment, run: Run) -> None:
    """Assert what holds of every run that has ended, whatever went wrong: defined, free, and nothing doubled."""
    world = deployment.world
    stored = world.runs.get(TENANT, run.run_id)
    assert stored.status.ended, stored.status
    assert world.runs.find_lease_holder(TENANT, run.session_id) is None
    head = world.sessions.get(TENANT, run.session_id)
    assert head is not None
    ids = [one.message.message_id for one in world.sessions.read(TENANT, run.session_id, 0, head.length - 1)]
    assert len(ids) == len(set(ids)), ids
    assert len(booked) == len(set(booked)), booked
    attempts = world.ledger.list_for_run(TENANT, run.run_id)
    assert stored.spent.cost_nanousd == sum(one.cost_nanousd for one in attempts)
    steps = world.runs.list_steps(TENANT, run.run_id)
    assert [one.step for one in steps] == list(range(1, len(steps) + 1))
    assert world.approvals.list_pending(TENANT).items == ()
    told = {detail["status"] for kind, detail in world.events.published if kind == "pentad.run.finished"}
    assert told <= {stored.status.value}
