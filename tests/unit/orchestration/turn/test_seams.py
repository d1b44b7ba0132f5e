"""A turn and what decides with it: switches, a human's say, confidence, overrides, what a run can't do without."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from pentad.domain.declarations.agents import AgentSpec, BandsSpec, Catalog, ConfidenceSpec, HumansSpec
from pentad.domain.messages import Message, ToolResultBlock
from pentad.domain.models import ChatRequest
from pentad.domain.runs import Assessment, Band, CallStatus, Overrides, Run, RunStatus, Signal, ToolCall
from pentad.domain.usage import Limits
from pentad.orchestration.lifecycle.deliver import Deliver
from pentad.orchestration.reviews.adapters.reviews_memory import MemoryReviews
from pentad.orchestration.switches.ports import Availability
from pentad.orchestration.turn.think import Think
from tests.unit.orchestration.world import TENANT, World, tool

LOOK, SEND = tool("look"), tool("send").model_copy(update={"effects": "external"})


def _catalog(**spec: Any) -> Catalog:
    given = {
        "name": "assistant",
        "description": "helps",
        "prompt": "You help.",
        "tools": ("look", "notes", "send"),
        "limits": Limits(steps=4),
        "approval_seconds": 3600,
        **spec,
    }
    tools = {"look": LOOK, "send": SEND, "notes": tool("notes", approval="always")}
    return Catalog(agents={"assistant": AgentSpec(**given)}, tools=tools)


@dataclass
class Board:
    """A `Switchboard` that says what it is told to."""

    now: Availability = field(default_factory=Availability)
    asked: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    failed: list[tuple[str, str, str]] = field(default_factory=list)

    def get_availability(self, tenant_id: str, agent: str, tools: Sequence[str]) -> Availability:
        self.asked.append((tenant_id, agent, tuple(tools)))
        return self.now

    def record_failure(self, tenant_id: str, tool: str, error: str) -> None:
        self.failed.append((tenant_id, tool, error))

    def record_success(self, tenant_id: str, tool: str) -> None:
        raise AssertionError("a turn runs no tool")


@dataclass
class Sure:
    """An `Assessor` of one confidence."""

    band: Band
    confidence: float = 0.5
    asked: list[tuple[str, int, int]] = field(default_factory=list)

    def assess(
        self,
        agent: AgentSpec,
        request: ChatRequest,
        reply: Message,
        calls: Sequence[ToolCall],
        *,
        unknown_citations: int,
        deadline: float,
    ) -> Assessment:
        assert all(reply.message_id != one.message_id for one in request.messages)
        self.asked.append((reply.text, len(calls), unknown_citations))
        signal = Signal(source="validators", score=self.confidence)
        return Assessment(confidence=self.confidence, band=self.band, signals=(signal,))


class Seams(World):
    """A world with the collaborators of these tests."""

    def __init__(self, board: Board | None = None, sure: Sure | None = None, **spec: Any) -> None:
        super().__init__(_catalog(**spec))
        self.list = MemoryReviews()
        self.think = Think(
            self.catalog,
            self.runs,
            self.sessions,
            self.model,
            self.ledger,
            self.telemetry,
            now=self.clock,
            switchboard=board,
            assessor=sure,
            reviews=self.list,
        )
        self.deliver = Deliver(
            self.runs,
            self.sessions,
            self.approvals,
            self.events,
            self.telemetry,
            now=self.clock,
            reviews=self.list,
            switchboard=board,
        )

    def causes(self) -> list[str]:
        return [one.cause for one in self.list.list_open(TENANT).items]

    def statuses(self, run: Run, step: int = 1) -> dict[str, CallStatus]:
        return {call.tool: call.status for call in self.runs.list_calls(TENANT, run.run_id, step)}


CONFIDENT = ConfidenceSpec(bands=BandsSpec())


def test_a_turn_looks_at_the_switches_once_with_all_of_the_agents_tools() -> None:
    board = Board()
    world = Seams(board)
    world.model.script = ["4"]
    world.turn(world.begin())
    assert board.asked == [(TENANT, "assistant", ("look", "notes", "send"))]


def test_what_is_switched_off_stops_before_the_model_is_asked() -> None:
    world = Seams(Board(Availability(stopped="The agent assistant has been switched off.")))
    run = world.begin()
    decision = world.turn(run)
    assert (decision.kind, world.model.requests) == ("stop", [])
    ended = world.deliver.deliver(TENANT, run.run_id, 1, "stop", decision.reason)
    assert (ended.status, "switched off" in (ended.stop_reason or "")) == (RunStatus.STOPPED, True)


def test_a_call_of_an_unavailable_tool_is_an_error_result_at_once() -> None:
    world = Seams(Board(Availability(unavailable={"send": "The tool send is out of order."})))
    world.model.script = [[("send", {}), ("look", {})], "Later."]
    run = world.begin()
    decision = world.turn(run)
    assert [one.tool for one in decision.calls] == ["look"]
    world.act(run, decision)
    world.turn(run, 2)
    told = [block for block in world.model.requests[1].messages[-1].blocks if isinstance(block, ToolResultBlock)]
    assert [(block.content, block.is_error) for block in told] == [
        ("The tool send is out of order.", True),
        ("4", False),
    ]


def test_an_unavailable_tool_needs_no_human() -> None:
    world = Seams(Board(Availability(unavailable={"notes": "Out of order."})))
    world.model.script = [[("notes", {})]]
    assert world.turn(world.begin()).kind == "tools"


def test_a_call_that_died_is_counted_against_its_tool_once() -> None:
    board = Board()
    world = Seams(board)
    world.model.script = [[("send", {})]]
    run = world.begin()
    world.turn(run)
    for _ in range(2):
        world.deliver.record_call_failure(TENANT, run.run_id, 1, 0, "Sandbox.Timedout", "")
    assert board.failed == [(TENANT, "send", "Sandbox.Timedout")]


def test_a_tool_that_a_human_always_allows_is_not_asked_for() -> None:
    world = Seams()
    world.model.script = [[("notes", {})]]
    run = world.begin()
    world.runs.note(TENANT, run.run_id, allowed_tools=["notes"])
    assert world.turn(run).kind == "tools"


def test_a_wait_is_as_long_as_the_approval_or_until_the_reminder() -> None:
    for humans, wait in ((HumansSpec(), 3600), (HumansSpec(remind_seconds=600), 600)):
        world = Seams(humans=humans)
        world.model.script = [[("notes", {})]]
        assert world.turn(world.begin()).wait == wait


def test_overrides_take_the_place_of_the_agents_prompt_and_model() -> None:
    world = Seams()
    world.model.script = ["4"]
    run = world.begin()
    given = run.model_copy(update={"overrides": Overrides(prompt="You sing.", model="anthropic/fast")})
    world.runs._runs[TENANT, run.run_id] = given
    world.turn(run)
    assert (world.model.requests[0].system, world.model.requests[0].model) == ("You sing.", "anthropic/fast")


def test_a_question_of_the_model_waits_for_a_human() -> None:
    world = Seams(humans=HumansSpec(may_ask=True))
    world.model.script = [[("ask_human", {"question": "Which one?"})]]
    run = world.begin()
    decision = world.turn(run)
    assert (decision.kind, decision.wait, world.statuses(run)) == ("ask", 3600, {"ask_human": CallStatus.AWAITING})


def test_a_model_that_escalates_waits_and_is_on_the_list() -> None:
    world = Seams(humans=HumansSpec(may_ask=True))
    world.model.script = [[("escalate", {"reason": "Too hot."})]]
    assert world.turn(world.begin()).kind == "escalate"
    assert world.causes() == ["escalated"]


def test_a_question_comes_alone_but_for_calls_without_effects() -> None:
    world = Seams(humans=HumansSpec(may_ask=True))
    world.model.script = [[("look", {}), ("send", {}), ("notes", {}), ("ask_human", {"question": "Which?"})]]
    run = world.begin()
    decision = world.turn(run)
    assert decision.kind == "ask"
    assert world.statuses(run) == {
        "look": CallStatus.PENDING,
        "send": CallStatus.FAILED,
        "notes": CallStatus.FAILED,
        "ask_human": CallStatus.AWAITING,
    }


def test_an_agent_that_may_not_ask_has_no_tool_for_it() -> None:
    world = Seams()
    world.model.script = [[("ask_human", {"question": "Which?"})]]
    run = world.begin()
    assert world.turn(run).kind == "tools"
    assert world.statuses(run) == {"ask_human": CallStatus.FAILED}
    assert "ask_human" not in {one.name for one in world.model.requests[0].tools}


def test_what_a_run_lacks_is_asked_for_before_the_model_is() -> None:
    world = Seams(requires={"order": "Which order is it about?"})
    run = world.begin()
    decision = world.turn(run)
    assert (decision.kind, decision.reason, decision.wait) == ("ask", "Which order is it about?", 3600)
    assert world.model.requests == []
    assert world.turn(run) == decision


def test_a_run_that_has_what_it_needs_asks_nobody() -> None:
    world = Seams(requires={"order": "Which order?"})
    world.model.script = ["4"]
    assert world.turn(world.begin(metadata={"order": "17"})).kind == "answer"


def test_a_run_whose_question_is_never_answered_reaches_its_step_cap() -> None:
    world = Seams(requires={"order": "Which order?"})
    run = world.begin()
    kinds = [world.turn(run, step).kind for step in range(1, 6)]
    assert kinds == ["ask", "ask", "ask", "ask", "stop"]
    assert world.causes() == ["limit"]


@pytest.mark.parametrize(
    ("band", "kind"),
    [(Band.AUTONOMOUS, "answer"), (Band.REVIEW, "answer"), (Band.DRAFT, "approve"), (Band.ESCALATE, "escalate")],
)
def test_a_band_decides_what_becomes_of_an_answer(band: Band, kind: str) -> None:
    world = Seams(sure=Sure(band), confidence=CONFIDENT)
    world.model.script = ["4 [cite:zz]"]
    run = world.begin()
    decision = world.turn(run)
    assert (decision.kind, decision.calls) == (kind, ())
    assert world.think._assessor.asked == [("4 [cite:zz]", 0, 1)]  # type: ignore[union-attr]
    step = world.runs.find_step(TENANT, run.run_id, 1)
    assert step is not None
    assert step.assessment is not None
    assert step.assessment.band is band
    assert world.runs.get(TENANT, run.run_id).confidence == 0.5


@pytest.mark.parametrize(
    ("band", "kind", "status"),
    [
        (Band.AUTONOMOUS, "tools", CallStatus.PENDING),
        (Band.REVIEW, "tools", CallStatus.PENDING),
        (Band.DRAFT, "approve", CallStatus.AWAITING),
        (Band.ESCALATE, "escalate", CallStatus.AWAITING),
    ],
)
def test_a_band_decides_what_becomes_of_calls_that_change_something(band: Band, kind: str, status: CallStatus) -> None:
    world = Seams(sure=Sure(band), confidence=CONFIDENT)
    world.model.script = [[("send", {}), ("look", {})]]
    run = world.begin()
    assert world.turn(run).kind == kind
    assert world.statuses(run) == {"send": status, "look": status}


def test_what_is_done_and_to_be_reviewed_is_on_the_list_with_its_confidence() -> None:
    world = Seams(sure=Sure(Band.REVIEW, 0.75), confidence=CONFIDENT)
    world.model.script = ["4"]
    world.turn(world.begin())
    [review] = world.list.list_open(TENANT).items
    assert (review.cause, review.confidence) == ("confidence", 0.75)


def test_calls_that_change_nothing_and_agents_without_bands_are_not_assessed() -> None:
    sure = Sure(Band.ESCALATE)
    careful, careless = Seams(sure=sure, confidence=CONFIDENT), Seams(sure=sure)
    careful.model.script = [[("look", {})]]
    careless.model.script = ["4"]
    assert careful.turn(careful.begin()).kind == "tools"
    assert careless.turn(careless.begin()).kind == "answer"
    assert sure.asked == []


def test_a_notice_that_no_model_answered_is_not_assessed() -> None:
    sure = Sure(Band.ESCALATE)
    world = Seams(sure=sure, confidence=CONFIDENT)
    world.model.script, world.model.degraded = ["Sorry."], True
    assert world.turn(world.begin()).kind == "answer"
    assert sure.asked == []


def test_a_loop_and_a_failure_are_on_the_list() -> None:
    world = Seams()
    world.model.script = [[("look", {})] for _ in range(3)]
    run = world.begin()
    for step in (1, 2):
        world.act(run, world.turn(run, step))
    world.turn(run, 3)
    other = world.begin()
    world.deliver.abort(TENANT, other.run_id, "Runtime.ExitError", "", 4)
    assert sorted((one.cause, one.step) for one in world.list.list_open(TENANT).items) == [("failed", 4), ("loop", 3)]


def test_a_run_that_is_cancelled_while_the_model_answers_takes_no_step() -> None:
    world = Seams()
    world.model.script = ["4"]
    run = world.begin()
    complete = world.model.complete

    def cancelled(request: ChatRequest, *, deadline: float) -> Any:
        reply = complete(request, deadline=deadline)
        world.runs.finish(TENANT, run.run_id, RunStatus.CANCELLED, at=world.clock(), answer=None)
        return reply

    world.model.complete = cancelled  # type: ignore[method-assign]
    assert world.turn(run).kind == "stop"
    assert world.runs.find_step(TENANT, run.run_id, 1) is None
    assert world.deliver.deliver(TENANT, run.run_id, 1, "stop").status is RunStatus.CANCELLED
