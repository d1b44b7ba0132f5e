"""Something goes wrong in a state of a workflow: its run ends in a defined state, and nothing is doubled."""

import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import product
from typing import Any

import pytest

from infra.orchestration.fragments import Flow, Fragment
from pentad.domain.declarations.workflows import WorkflowSpec
from pentad.domain.errors import SessionBusy
from pentad.domain.runs import Run, RunStatus
from pentad.orchestration.lifecycle.announce_end import FINISHED
from pentad.orchestration.lifecycle.start import RunRequest
from pentad.tools.records.adapters.records_memory import MemoryRecords
from pentad.tools.runtime.adapters.audit_memory import MemoryAudit
from pentad.tools.runtime.adapters.functions_memory import MemoryFunctions
from pentad.tools.runtime.runner import Invocation, ToolRunner
from tests.twin.machine.loop.deployment import FOR_GOOD, KINDS, TOOLS, Fault, Telemetry, booked, fail
from tests.twin.machine.stage import ROLE, Handler, Stage, short_waits
from tests.twin.workflows.bench import Bench, Json, synthesized
from tests.unit.orchestration.world import TENANT

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("fragments")]

STATES = (
    "begin",
    "task",
    "child",
    "agent",
    "child_done",
    "call",
    "run",
    "call_done",
    "ask",
    "settle",
    "human_done",
    "text",
    "finish",
    "deliver",
)
"""The operations that the states of the workflow below ask for; ``agent`` is the agent's own machine."""
LOST = ("throttle", "timeout", "kill", "denied")
"""What Lambda may answer in a function's place for a time. A bad answer is no passing thing."""


NOT_TOLD = ("ask", "bad_json", False)
"""Nobody was asked, and the task does not look at the function's answer: it waits until its time is over."""
NOT_DELIVERED = ("deliver", "bad_json", False)
"""No state comes after Deliver: the execution fails, and the next run of the session, or AWS's event, ends this one."""


FAULTS = (*((kind, False) for kind in KINDS), ("kill", True), ("bad_json", True))
"""What goes wrong, and whether after the work: that looks the same whichever error it is."""


@pytest.fixture(autouse=True)
def _waits(stage: Stage) -> Iterator[None]:
    with short_waits():
        yield


def every_step(flow: Flow) -> Fragment:
    """Return a step of each kind, a tool with an effect and one that a human approves among them."""
    flow.answer = "{{facts}}, {{said}}, {{seat}}, {{kept}}, {{sign}}, {{words}}"
    at_once = flow.parallel(flow.agent("said", "writer", "Say {{facts}}"), flow.tool("seat", "book", seat="1a"))
    kept, sign = flow.tool("kept", "keep", title="receipt"), flow.approval("sign", "Sign {{seat}}", seconds=3600)
    return flow.sequential(flow.model("facts", "Read {{input}}"), at_once, kept, sign, flow.text("words", "w"))


def signed(flow: Flow) -> Fragment:
    """Return a human's step alone."""
    flow.answer = "{{sign}}"
    return flow.approval("sign", "Sign {{input}}", seconds=3600)


@lru_cache(maxsize=2)
def made(build: Callable[[Flow], Fragment]) -> tuple[WorkflowSpec, Json]:
    return synthesized(build, tools=TOOLS)


class Faulty(Bench):
    """The workflow with faults on demand, and tools run by the tool runner.

    Args:
        stage: the interpreter.
        faults: by operation.
        decision: what humans decide; None for nothing.
        build: the workflow.
    """

    def __init__(
        self,
        stage: Stage,
        faults: dict[str, Fault],
        decision: tuple[str, Json] | None,
        build: Callable[[Flow], Fragment] = every_step,
    ) -> None:
        booked.clear()
        self.faults = faults
        self._lock = threading.Lock()
        super().__init__(stage, build, lambda name, time: f"{name} {time}", tools=TOOLS, made=made(build))
        self.decision = decision
        world = self.world
        self._runner = ToolRunner(
            catalog=world.catalog,
            runs=world.runs,
            functions=MemoryFunctions(TOOLS, records=MemoryRecords().get_store, now=world.clock),
            effects=self.effects,
            audit=MemoryAudit(),
            telemetry=Telemetry(),
            now=world.clock,
        )

    def _losing(self, function: Handler) -> Handler:
        def serve(event: Json, context: Any) -> Any:
            fault = self._take(event.get("op", "agent"))
            if fault is None:
                return function(event, context)
            if fault.after:
                function(event, context)
            return fail(fault.kind)

        return serve

    def _take(self, operation: str) -> Fault | None:
        with self._lock:
            fault = self.faults.get(operation)
            if fault is None or fault.times == 0:
                return None
            fault.times -= 1
            return fault

    def _tool(self, event: Json, _context: Any) -> Any:
        names = ("tenant", "run", "agent", "step", "index")
        invocation = Invocation("request-1", function=event["function"])
        return self._runner.execute(*(event[name] for name in names), invocation=invocation)


@pytest.fixture(autouse=True)
def _allowed(stage: Stage) -> Iterator[None]:
    yield
    stage.denied.clear()


APPROVE: tuple[str, Json] = ("approve", {})


def check_end(bench: Bench, run: Run) -> None:
    """Assert what holds of every run that has ended, whatever went wrong: defined, free, and nothing doubled."""
    world = bench.world
    runs = world.runs.list_page(TENANT).items
    assert len(runs) <= 2
    for one in runs:
        assert one.status.ended, (one.agent, one.status)
        assert world.runs.find_lease_holder(TENANT, one.session_id) is None
    ids = [one.message.message_id for one in world.sessions.read(TENANT, run.session_id, 0, 9)]
    assert len(ids) == len(set(ids)), ids
    assert booked in ([], ["1a"])
    assert len(bench.model.asked) <= 1
    assert run.spent.cost_nanousd <= 10 * len(bench.model.asked)
    assert bench.ran.count("writer") <= 1
    assert world.approvals.list_pending(TENANT).items == ()
    told = {(detail["run"], detail["status"]) for kind, detail in world.events.published if kind == FINISHED}
    assert told <= {(one.run_id, one.status.value) for one in runs}


@pytest.mark.parametrize("after", [False, True], ids=["unreached", "answer-lost"])
@pytest.mark.parametrize("kind", LOST)
def test_faults_that_pass_in_every_state_are_not_seen(stage: Stage, kind: str, after: bool) -> None:
    # The agent's own machine is not the workflow's: an agent's states have a test of their own.
    bench = Faulty(stage, {state: Fault(kind, after=after) for state in STATES if state != "agent"}, APPROVE)
    run = bench.run()
    check_end(bench, run)
    assert (run.status, run.spent.cost_nanousd) == (RunStatus.SUCCEEDED, 10), bench.ended
    assert run.answer == "facts 0, writer: Say facts 0, booked 1a, kept receipt, Sign booked 1a, w"
    assert booked == ["1a"]
    assert not any(fault.times for fault in bench.faults.values()), bench.faults


@pytest.mark.parametrize(
    ("state", "kind", "after"),
    [(state, *fault) for state, fault in product(STATES, FAULTS) if (state, *fault) != NOT_DELIVERED],
)
def test_a_fault_for_good_ends_the_run(stage: Stage, state: str, kind: str, after: bool) -> None:
    build = signed if (state, kind, after) == NOT_TOLD else every_step
    bench = Faulty(stage, {state: Fault(kind, FOR_GOOD, after)}, APPROVE, build)
    check_end(bench, bench.run())


@pytest.mark.parametrize("times", [1, FOR_GOOD], ids=["once", "for-good"])
@pytest.mark.parametrize(("kind", "after"), FAULTS)
def test_a_fault_when_the_time_of_a_human_is_over(stage: Stage, kind: str, after: bool, times: int) -> None:
    bench = Faulty(stage, {"expire": Fault(kind, times, after)}, None, signed)
    run = bench.run()
    check_end(bench, run)
    assert run.status in {RunStatus.STOPPED, RunStatus.FAILED}


@pytest.mark.parametrize(("kind", "after"), [fault for fault in FAULTS if fault[0] in LOST])
def test_an_abort_that_is_disturbed_still_ends_the_run(stage: Stage, kind: str, after: bool) -> None:
    bench = Faulty(stage, {"text": Fault("kill", FOR_GOOD), "abort": Fault(kind, 2, after)}, APPROVE)
    run = bench.run()
    check_end(bench, run)
    assert (run.status, (run.error or "").split(":")[0]) == (RunStatus.FAILED, "Runtime.ExitError")


@pytest.mark.parametrize(("kind", "after"), FAULTS)
def test_a_stop_that_fails_ends_the_run(stage: Stage, kind: str, after: bool) -> None:
    bench = Faulty(stage, {"stop": Fault(kind, FOR_GOOD, after)}, ("reject", {"reason": "no"}), signed)
    run = bench.run()
    check_end(bench, run)
    assert run.status in {RunStatus.STOPPED, RunStatus.FAILED}


def test_an_agent_that_may_not_be_started_fails_its_step(stage: Stage) -> None:
    stage.denied.add((ROLE, "AWSStepFunctions.StartExecution"))
    bench = Faulty(stage, {}, APPROVE)
    run = bench.run()
    check_end(bench, run)
    assert (run.status, bench.ran.count("writer")) == (RunStatus.FAILED, 0)


@pytest.mark.parametrize(
    "faults",
    [*({"begin": "kill", "abort": kind} for kind in ("kill", "bad_json")), {"deliver": "bad_json"}],
    ids=lambda faults: "-".join(f"{state}-{kind}" for state, kind in faults.items()),
)
def test_a_run_that_its_execution_could_not_end_is_ended_by_the_next_one(stage: Stage, faults: dict[str, str]) -> None:
    bench = Faulty(stage, {state: Fault(kind, FOR_GOOD) for state, kind in faults.items()}, APPROVE)
    run = bench.run()
    assert (bench.ended["status"], run.status.ended) == ("FAILED", False)
    assert run.execution_arn is not None
    bench.world.engine.dead.add(run.execution_arn)
    again = RunRequest(agent="tried", message="Again.", session_id=run.session_id)
    with pytest.raises(SessionBusy):
        bench.world.start(TENANT, again, trigger="api")
    assert bench.world.runs.get(TENANT, run.run_id).status is RunStatus.FAILED
    assert bench.world.start(TENANT, again, trigger="api").status is RunStatus.QUEUED
