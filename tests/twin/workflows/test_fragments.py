"""Each fragment in the twin's interpreter: where the data goes, what fails, what it costs."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from infra.orchestration.fragments import AtLeast, Flow, Fragment
from pentad.domain.errors import LimitReached, MalformedReply, PentadError
from pentad.domain.runs import RunStatus
from pentad.domain.usage import Limits
from pentad.models.budgets.budgets import define
from pentad.tools.declare import tool
from tests.twin.machine.stage import Stage
from tests.twin.workflows.bench import Bench, Say
from tests.unit.orchestration.world import TENANT

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("fragments")]


class Verdict(BaseModel):
    score: float
    advice: str


def echo(name: str, time: int) -> str:
    return f"{name} {time}"


def test_models_steps_one_after_the_other_see_what_came_before(stage: Stage) -> None:
    def build(flow: Flow) -> Fragment:
        flow.answer = "{{second}}!"
        return flow.sequential(flow.model("first", "Read {{input}}"), flow.model("second", "Now {{first}}"))

    bench = Bench(stage, build, echo)
    run = bench.run("this")
    assert (run.status, run.answer) == (RunStatus.SUCCEEDED, "second 0!"), bench.ended
    assert bench.model.prompts == ["Read this", "Now first 0"]
    assert run.spent.cost_nanousd == 20
    assert bench.world.runs.find_lease_holder(run.tenant_id, run.session_id) is None
    assert bench.transitions == 6


def test_a_run_that_a_budget_can_not_pay_is_stopped_before_its_first_part(stage: Stage) -> None:
    def build(flow: Flow) -> Fragment:
        flow.answer = "{{end}}"
        which = flow.branch("check.status", {"failed": flow.model("mend", "Mend.")}, flow.model("go", "Go on."))
        start = flow.parallel(flow.agent("text", "writer", "Write."), flow.tool("sum", "calculator", expression="1"))
        loop = flow.refine(
            "loop",
            produce=flow.model("draft", "Draft."),
            judge=flow.model("judged", "Judge.", output=Verdict),
            improve=flow.model("better", "Mend {{judged.advice}}"),
            threshold=1,
            rounds=2,
        )
        return flow.sequential(start, flow.model("check", "Check."), which, loop, flow.model("end", "End."))

    bench = Bench(stage, build, echo)
    assert bench.spec.certain == ("text", "sum", "check", "draft", "judged", "end")
    bench.budgets.put(define(TENANT, "tenant", "day", limit_nanousd=10_000_000))
    run = bench.run()
    assert (run.status, run.spent.cost_nanousd, bench.model.prompts, bench.ran) == (RunStatus.STOPPED, 0, [], [])
    assert run.stop_reason is not None
    for part in ("this was not begun", "$0.01 is left of the budget of $0.01 a day", "pentad budgets set."):
        assert part in run.stop_reason
    assert bench.world.runs.find_lease_holder(run.tenant_id, run.session_id) is None
    assert bench.transitions == 3


def test_an_agents_step_is_a_run_of_its_own_whose_answer_is_the_result(stage: Stage) -> None:
    def build(flow: Flow) -> Fragment:
        flow.answer = "{{text}}"
        return flow.sequential(flow.agent("text", "writer", "Write about {{input}}"))

    bench = Bench(stage, build, echo)
    run = bench.run("rain")
    assert run.answer == "writer: Write about rain", bench.ended
    [child] = [one for one in bench.world.runs.list_page(run.tenant_id).items if one.parent_run_id == run.run_id]
    assert (child.trigger, child.agent, child.session_id != run.session_id) == ("workflow", "writer", True)
    assert bench.transitions == 7


@pytest.mark.parametrize("broken", [False, True])
def test_an_agent_that_replies_in_one_turn_is_a_step_as_well(stage: Stage, broken: bool) -> None:
    def build(flow: Flow) -> Fragment:
        flow.answer = "{{text | no}}"
        no = flow.branch("text.status", {"failed": flow.text("no", "It failed.")})
        return flow.sequential(
            flow.parallel(flow.agent("text", "quick", "Write about {{input}}"), needs=AtLeast(0)), no
        )

    bench = Bench(stage, build, echo, broken=frozenset({"quick"} if broken else ()))
    run = bench.run("rain")
    assert run.answer == ("It failed." if broken else "quick: Write about rain"), bench.ended
    [child] = [one for one in bench.world.runs.list_page(run.tenant_id).items if one.parent_run_id == run.run_id]
    assert ":express:pentad-dev-reply-quick:" in (child.execution_arn or "")
    assert child.status is (RunStatus.FAILED if broken else RunStatus.SUCCEEDED)


def test_a_tools_step_runs_a_planned_call(stage: Stage) -> None:
    def build(flow: Flow) -> Fragment:
        flow.answer = "{{sum}}"
        return flow.tool("sum", "calculator", expression="{{input}} + 1")

    bench = Bench(stage, build, echo)
    run = bench.run("41")
    assert run.answer == "computed 41 + 1", bench.ended


def test_a_branch_that_fails_leaves_the_others_their_results_where_any_is_enough(stage: Stage) -> None:
    def build(flow: Flow) -> Fragment:
        flow.answer = "{{good}} / {{bad}} / {{long}}"
        long = flow.sequential(flow.text("before", "x"), flow.agent("long", "broken", "x"), name="longer")
        return flow.parallel(flow.model("good", "x"), flow.model("bad", "x"), long, needs="any")

    def say(name: str, time: int) -> str | PentadError:
        return MalformedReply("no") if name == "bad" else "fine"

    bench = Bench(stage, build, say, broken=frozenset({"broken"}))
    run = bench.run()
    missing = "(there is no result: this step did not finish)"
    assert run.status is RunStatus.DEGRADED, bench.ended
    assert run.answer == f"fine / {missing} / {missing}"
    assert [notice.split("'")[1] for notice in run.notices] == ["bad", "longer"]


@pytest.mark.parametrize(("needs", "status"), [(AtLeast(2), RunStatus.FAILED), (AtLeast(1), RunStatus.DEGRADED)])
def test_too_few_branches_fail_the_run(stage: Stage, needs: AtLeast, status: RunStatus) -> None:
    def build(flow: Flow) -> Fragment:
        flow.answer = "{{good}}"
        return flow.parallel(flow.model("good", "x"), flow.agent("bad", "broken", "x"), needs=needs)

    bench = Bench(stage, build, echo, broken=frozenset({"broken"}))
    run = bench.run()
    assert run.status is status, bench.ended
    assert bench.world.runs.find_lease_holder(run.tenant_id, run.session_id) is None


def test_a_branch_goes_by_a_field_of_a_structured_output(stage: Stage) -> None:
    def build(flow: Flow) -> Fragment:
        flow.answer = "{{high}}{{low}}"
        judged = flow.model("judge", "x", output=Verdict)
        arms = {AtLeast(0.5): flow.text("high", "high")}
        return flow.sequential(judged, flow.branch("judge.score", arms, flow.text("low", "low")))

    missing = "(there is no result: this step did not finish)"
    for score, answer in ((0.7, f"high{missing}"), (0.2, f"{missing}low")):
        bench = Bench(stage, build, judging(score))
        assert bench.run().answer == answer, bench.ended


def refining(flow: Flow) -> Fragment:
    flow.answer = "{{draft}} by {{judge.advice}}"
    return flow.refine(
        "loop",
        produce=flow.model("draft", "x"),
        judge=flow.model("judge", "Judge {{draft}}", output=Verdict),
        improve=flow.model("better", "Improve {{draft}} by {{judge.advice}}"),
        threshold=0.9,
        rounds=3,
    )


def judging(*scores: float) -> Say:
    def say(name: str, time: int) -> str:
        return json.dumps({"score": scores[time], "advice": f"a{time}"}) if name == "judge" else f"{name} {time}"

    return say


@pytest.mark.parametrize(
    ("scores", "answer", "notices", "transitions"),
    [
        ((0.95,), "draft 0 by a0", 0, 8),
        ((0.5, 0.9), "better 0 by a1", 0, 12),
        ((0.5, 0.8, 0.7), "better 0 by a1", 1, 16),
        ((0.6, 0.3, 0.2), "draft 0 by a0", 1, 16),
    ],
)
def test_a_refine_ends_at_its_threshold_or_its_cap_and_keeps_the_best(
    stage: Stage, scores: tuple[float, ...], answer: str, notices: int, transitions: int
) -> None:
    bench = Bench(stage, refining, judging(*scores))
    run = bench.run()
    assert (run.answer, len(run.notices)) == (answer, notices), bench.ended
    assert bench.transitions == transitions
    assert bench.model.prompts[1] == "Judge draft 0"


def test_a_workflow_stops_at_its_limits_even_within_a_guarded_branch(stage: Stage) -> None:
    def build(flow: Flow) -> Fragment:
        flow.limits = Limits(steps=1)
        flow.answer = "{{a}}"
        return flow.sequential(flow.model("a", "x"), flow.parallel(flow.model("b", "x"), needs="any"))

    bench = Bench(stage, build, echo)
    run = bench.run()
    assert run.status is RunStatus.STOPPED, bench.ended
    assert run.stop_reason == "The run was stopped: the run has used its 1 steps."
    assert bench.model.asked == ["a"]
    assert LimitReached.__name__ not in (run.error or "")


def test_a_step_that_fails_for_good_fails_the_run_and_frees_its_session(stage: Stage) -> None:
    def build(flow: Flow) -> Fragment:
        flow.answer = "{{a}}"
        return flow.sequential(flow.model("a", "x"))

    bench = Bench(stage, build, lambda name, time: MalformedReply("it is not JSON"))
    run = bench.run()
    assert (run.status, run.error) == (RunStatus.FAILED, "MalformedReply: it is not JSON"), bench.ended
    assert bench.world.runs.find_lease_holder(run.tenant_id, run.session_id) is None


def approving(flow: Flow) -> Fragment:
    flow.answer = "{{yes | no}} {{sign}} ({{sign.reason}})"
    ways = {"approved": flow.text("yes", "yes"), "rejected": flow.text("no", "no")}
    return flow.approval("sign", "Sign {{input}}", seconds=3600, **ways)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("decision", "answer"),
    [
        (("approve", {}), "yes Sign it ()"),
        (("edit", {"text": "Signed"}), "yes Signed ()"),
        (("reject", {"reason": "vague"}), "no vague (vague)"),
        (None, "no Nobody decided in time (Nobody decided in time.)"),
    ],
)
def test_an_approval_has_a_way_on_for_each_decision_and_for_none(
    stage: Stage, decision: tuple[str, dict[str, str]] | None, answer: str
) -> None:
    bench = Bench(stage, approving, echo)
    bench.decision = decision
    run = bench.run("it")
    assert (run.status, run.answer) == (RunStatus.SUCCEEDED, answer), bench.ended


def test_a_tool_that_needs_an_approval_waits_for_it(stage: Stage) -> None:
    def build(flow: Flow) -> Fragment:
        flow.answer = "{{kept}}"
        return flow.tool("kept", "notes", title="t", text="{{input}}")

    bench = Bench(stage, build, echo)
    bench.decision = ("reject", {"reason": "no"})
    run = bench.run("it")
    assert (run.status, run.stop_reason) == (
        RunStatus.STOPPED,
        "The run was stopped: the step 'kept' was rejected: no.",
    ), bench.ended


@tool(effects="none", trusted_output=False)
def read_letter(expression: str) -> str:
    """Read what somebody wrote."""
    return expression


@tool(effects="external", idempotent=True)
def send(expression: str) -> str:
    """Send something."""
    return expression


@pytest.mark.parametrize(("reads", "verb"), [(False, None), (True, "approve"), (True, "reject")])
def test_a_tool_that_asks_for_some_calls_waits_for_those_alone(stage: Stage, reads: bool, verb: Any) -> None:
    def build(flow: Flow) -> Fragment:
        flow.answer = "{{sent}}"
        sent = flow.tool("sent", "send", expression="{{input}}")
        return flow.sequential(flow.tool("letter", "read_letter", expression="x"), sent) if reads else sent

    bench = Bench(stage, build, echo, tools={"read_letter": read_letter, "send": send})
    bench.decision = None if verb is None else (verb, {})
    run = bench.run("it")
    if verb == "reject":
        assert (run.status, bench.ran) == (RunStatus.STOPPED, ["read_letter", "sent"]), bench.ended
        return
    assert (run.status, run.answer) == (RunStatus.SUCCEEDED, "computed it"), bench.ended
    # The step asks only where it comes after the letter.
    assert bench.ran == (["read_letter", "sent", "send"] if reads else ["send"])
    assert run.taint == (("tool:read_letter",) if reads else ())


def test_whatever_answer_is_lost_nothing_is_done_twice(stage: Stage) -> None:
    def build(flow: Flow) -> Fragment:
        flow.answer = "{{draft}} {{sum}} {{text}} {{words}} {{sign}}"
        sum_, text, words = (
            flow.tool("sum", "calculator", expression="1"),
            flow.agent("text", "writer", "x"),
            flow.text("words", "w"),
        )
        loop = refining(flow)
        flow.answer = "{{draft}} {{sum}} {{text}} {{words}} {{sign}}"
        return flow.sequential(flow.parallel(sum_, text, words, needs="any"), loop, flow.approval("sign", "Sign"))

    bench = Bench(stage, build, judging(0.1, 0.95))
    bench.loses_first, bench.decision = True, ("approve", {})
    run = bench.run("it")
    assert run.status is RunStatus.SUCCEEDED, bench.ended
    assert run.answer == "better 0 computed 1 writer: x w Sign"
    assert sorted(bench.model.asked) == ["better", "draft", "judge", "judge"]
    assert run.spent.cost_nanousd == 40
    assert len(bench.world.runs.list_page(run.tenant_id).items) == 2
    assert len(bench.world.runs.list_calls(run.tenant_id, run.run_id)) == 1
    assert bench.world.words(run.session_id) == ["it", run.answer]
