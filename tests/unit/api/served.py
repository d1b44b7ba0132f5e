"""A deployment that serves tools to MCP clients, in memory: its engine does what the state machines would do."""

from typing import Any

from pentad.domain.declarations.agents import Catalog, ToolSpec
from pentad.domain.declarations.serving import ServedSpec
from pentad.domain.declarations.workflows import ToolStep, WorkflowSpec
from pentad.domain.errors import StepFailed, StepRejected
from pentad.domain.runs import CallStatus, Run, RunStatus
from pentad.orchestration.workflows.adapters.results_memory import MemoryResults
from pentad.orchestration.workflows.human_steps import Humans
from pentad.orchestration.workflows.run_ends import Ends, Finished, Stopped
from pentad.orchestration.workflows.steps import Entered, EnteredStep, Stores
from pentad.orchestration.workflows.tool_steps import Calls
from tests.unit.api.client import Client
from tests.unit.orchestration.world import CATALOG, TENANT, World

Json = dict[str, Any]
ADD: Json = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
    "required": ["a", "b"],
    "additionalProperties": False,
}


def _write_flow(spec: ToolSpec) -> WorkflowSpec:
    step = ToolStep(name="call", number=1, tool=spec.name, arguments={}, from_input=True)
    return WorkflowSpec(name=f"mcp-{spec.name}", description=spec.description, steps={"call": step}, answer="{{call}}")


def make_catalog() -> Catalog:
    """Return a catalog that serves an agent, a tool, and a tool that needs an approval."""
    add = ToolSpec(name="add", description="Add two numbers.", input_schema=ADD, effects="none")
    flows = {flow.name: flow for flow in map(_write_flow, (add, CATALOG.tools["notes"]))}
    served = (
        ServedSpec(name="add", kind="tool", runs="mcp-add"),
        ServedSpec(name="notes", kind="tool", runs="mcp-notes"),
        ServedSpec(name="assistant", kind="agent", runs="assistant"),
    )
    return CATALOG.model_copy(update={"tools": {**CATALOG.tools, "add": add}, "workflows": flows, "served": served})


class ServedClient(Client):
    """The API of such a deployment; while a request waits, runs go on.

    Args:
        slow: runs only go on when they are told to.
    """

    def __init__(self, *, slow: bool = False) -> None:
        super().__init__(World(make_catalog()))
        world = self.world
        stores = Stores(world.catalog, world.runs, world.sessions, MemoryResults(), world.clock)
        self._ends, self._calls = Ends(stores), Calls(stores)
        self._humans = Humans(stores, world.approvals, world.asking)
        self.executed: list[Json] = []
        sleep = self.services._sleep

        def work(seconds: float) -> None:
            if not slow:
                self.go_on()
            sleep(seconds)

        self.services.waiting._sleep = work

    def get_runs(self) -> list[Run]:
        """Return the runs that were started, the first first."""
        return [self.world.runs.get(TENANT, run_id) for run_id in self.world.engine.started]

    def go_on(self) -> None:
        """Let each run do what it can."""
        for run in self.get_runs():
            if run.status.ended:
                continue
            if run.agent == "assistant":
                said = self.world.sessions.read(TENANT, run.session_id, run.request_seq, run.request_seq)
                answer = f"You said: {said[0].message.text}"
                self.world.runs.finish(TENANT, run.run_id, RunStatus.SUCCEEDED, at=self.world.clock(), answer=answer)
            else:
                self._go_on(run)

    def _go_on(self, run: Run) -> None:
        entered = {"tenant_id": TENANT, "run_id": run.run_id, "session_id": run.session_id, "agent": run.agent}
        at = EnteredStep(**entered, step="call", place=1)
        if run.status is RunStatus.QUEUED:
            self._ends.begin(Entered(**entered))
            self._calls.plan(at)
        call = self.world.runs.get_call(TENANT, run.run_id, 1, 0)
        token = f"token-{run.run_id}"
        try:
            if call.status is CallStatus.AWAITING:
                if token not in self.world.engine.woken:
                    self._humans.ask(at, token)
                    return
                self._humans.settle(at)
            self._execute(run)
            done = self._calls.collect(at)
        except StepRejected as error:
            end = self._ends.stop(Stopped(**entered, error="StepRejected", cause=error.message))
        except StepFailed as error:
            self.world.deliver.abort(TENANT, run.run_id, error="StepFailed", cause=error.message)
            return
        else:
            end = self._ends.finish(Finished(**entered, refs={"call": done["call"]["at"]}))
        self.world.deliver.deliver(TENANT, run.run_id, end["step"], kind=end["kind"], reason=end.get("reason"))

    def _execute(self, run: Run) -> None:
        """Run the call as the tool runner would."""
        call = self.world.runs.get_call(TENANT, run.run_id, 1, 0)
        self.executed.append(call.arguments)
        given = call.arguments
        if call.tool == "notes":
            ended: Json = {"status": CallStatus.SUCCEEDED, "result": "saved"}
        elif isinstance(given.get("a"), int) and isinstance(given.get("b"), int):
            ended = {"status": CallStatus.SUCCEEDED, "result": str(given["a"] + given["b"])}
        else:
            said = "InvalidInput: the arguments are not valid; nothing was run:\n- a: must be an integer"
            ended = {"status": CallStatus.FAILED, "is_error": True, "error_type": "InvalidInput", "result": said}
        self.world.runs.save_call(call.model_copy(update=ended | {"ended_at": self.world.clock()}))
