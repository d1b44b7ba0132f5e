"""A failed workflow's run goes on: what is finished is not done again, what changed or failed is."""

import pytest
from pydantic import BaseModel

from infra.orchestration.fragments import Flow, Fragment
from pentad.domain.errors import MalformedReply, PentadError
from pentad.domain.runs import RunStatus
from tests.twin.machine.stage import Stage
from tests.twin.workflows.bench import Bench, Say

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("fragments")]


class Score(BaseModel):
    score: float


def failing_once(step: str) -> Say:
    """Answer with the step's name and how often it was asked; one step fails at first."""

    def say(name: str, time: int) -> str | PentadError:
        return MalformedReply("it is not JSON") if (name, time) == (step, 0) else f"{name} {time}"

    return say


def every_kind(flow: Flow) -> Fragment:
    """Return a step of each kind, and one that fails."""
    flow.answer = "{{draft}}, {{text}}, {{sum}}, {{kept}}, {{sign}}, {{words}}, {{last}}"
    first = flow.parallel(
        flow.model("draft", "Draft {{input}}"),
        flow.agent("text", "writer", "Write {{input}}"),
        flow.tool("sum", "calculator", expression="1"),
    )
    kept = flow.tool("kept", "notes", title="t", text="{{draft}}")
    sign, words = flow.approval("sign", "Sign {{draft}}"), flow.text("words", "w {{sign}}")
    return flow.sequential(first, kept, sign, words, flow.model("last", "x"))


def test_what_is_finished_is_not_done_again(stage: Stage) -> None:
    bench = Bench(stage, every_kind, failing_once("last"))
    bench.decision = ("approve", {})
    failed = bench.run("it")
    assert failed.status is RunStatus.FAILED, bench.ended
    asked, ran = [*bench.model.asked], [*bench.ran]
    assert sorted(ran) == ["calculator", "kept", "notes", "sign", "writer"]

    run = bench.redrive(failed)
    assert run.status is RunStatus.SUCCEEDED, bench.ended
    assert run.answer == "draft 0, writer: Write it, computed 1, computed None, Sign draft 0, w Sign draft 0, last 1"
    assert (bench.model.asked[len(asked) :], bench.ran) == (["last"], ran)
    assert (run.redrive_of_run_id, run.spent.cost_nanousd, run.spent.steps) == (failed.run_id, 10, 1)
    assert [one.kind for one in bench.world.approvals.list_for_run(run.tenant_id, run.run_id)] == []
    assert bench.world.runs.find_lease_holder(run.tenant_id, run.session_id) is None


def test_a_run_that_fails_again_hands_on_what_both_have_done(stage: Stage) -> None:
    def build(flow: Flow) -> Fragment:
        flow.answer = "{{a}} {{b}} {{c}}"
        return flow.sequential(*(flow.model(name, name) for name in ("a", "b", "c")))

    def say(name: str, time: int) -> str | PentadError:
        return MalformedReply("no") if time == 0 and name != "a" else f"{name} {time}"

    bench = Bench(stage, build, say)
    run = bench.redrive(bench.redrive(bench.run()))
    assert run.answer == "a 0 b 1 c 1", bench.ended
    assert bench.model.asked == ["a", "b", "b", "c", "c"]


def test_an_agents_run_that_failed_is_run_anew(stage: Stage) -> None:
    def build(flow: Flow) -> Fragment:
        flow.answer = "{{first}} {{second}}"
        return flow.sequential(flow.agent("first", "writer", "x"), flow.agent("second", "broken", "y"))

    bench = Bench(stage, build, failing_once(""), broken=frozenset({"broken"}))
    failed = bench.run()
    bench.broken = frozenset()
    run = bench.redrive(failed)
    assert run.answer == "writer: x broken: y", bench.ended
    assert bench.ran == ["writer", "broken"]
    assert len(bench.world.runs.list_children(run.tenant_id, run.run_id)) == 1


def test_an_approved_call_that_never_ran_is_run_without_asking_again(stage: Stage) -> None:
    def build(flow: Flow) -> Fragment:
        flow.answer = "{{kept}}"
        return flow.tool("kept", "notes", title="t", text="{{input}}")

    bench = Bench(stage, build, failing_once(""))
    bench.decision, bench.down = ("approve", {}), {"notes"}
    failed = bench.run("it")
    assert (failed.status, bench.ran) == (RunStatus.FAILED, ["kept"]), bench.ended
    bench.down.clear()
    run = bench.redrive(failed)
    assert run.status is RunStatus.SUCCEEDED, bench.ended
    assert bench.ran == ["kept", "notes"]


def test_rounds_of_a_loop_that_are_finished_are_not_done_again(stage: Stage) -> None:
    def build(flow: Flow) -> Fragment:
        flow.answer = "{{draft}}"
        judge = flow.model("judge", "Judge {{draft}}", output=Score)
        improve = flow.model("better", "Improve {{draft}}")
        return flow.refine(
            "loop", produce=flow.model("draft", "x"), judge=judge, improve=improve, threshold=0.9, rounds=3
        )

    scores: list[str | PentadError] = ['{"score": 0.1}', MalformedReply("no"), '{"score": 0.95}']

    def say(name: str, time: int) -> str | PentadError:
        return scores[time] if name == "judge" else f"{name} {time}"

    bench = Bench(stage, build, say)
    run = bench.redrive(bench.run())
    assert run.answer == "better 0", bench.ended
    assert bench.model.asked == ["draft", "judge", "better", "judge", "judge"]


def test_it_goes_by_the_definition_that_is_deployed_now(stage: Stage) -> None:
    """Steps that moved are known by their names; what is new, or asks something else by now, is done."""

    def before(flow: Flow) -> Fragment:
        flow.answer = "x"
        steps = [flow.model(name, f"{name} of {{{{input}}}}") for name in ("gone", "same", "changed", "last")]
        return flow.sequential(*steps[:3], flow.approval("sign", "Sign {{changed}}"), steps[3])

    def after(flow: Flow) -> Fragment:
        flow.answer = "{{same}}, {{changed}}, {{sign}}, {{last}}"
        new = flow.model("new", "New")
        sign = flow.approval("sign", "Sign {{changed}}")
        same, changed = flow.model("same", "same of {{input}}"), flow.model("changed", "Otherwise")
        return flow.sequential(new, same, changed, sign, flow.model("last", "last of {{input}}"))

    bench = Bench(stage, before, failing_once("last"))
    bench.decision = ("approve", {})
    failed = bench.run()
    bench.define(after)
    run = bench.redrive(failed)
    assert run.answer == "same 0, changed 1, Sign changed 1, last 1", bench.ended
    assert bench.model.asked[4:] == ["new", "changed", "last"]
    assert bench.ran == ["sign", "sign"], "the words to be signed are others"


def test_a_branch_that_failed_is_done_and_so_is_what_was_made_without_it(stage: Stage) -> None:
    def build(flow: Flow) -> Fragment:
        flow.answer = "{{last}}"
        both = flow.parallel(flow.model("good", "x"), flow.model("bad", "y"), needs="any")
        return flow.sequential(both, flow.model("sum", "{{good}} {{bad}}"), flow.agent("last", "broken", "{{sum}}"))

    bench = Bench(stage, build, failing_once("bad"), broken=frozenset({"broken"}))
    failed = bench.run()
    bench.broken = frozenset()
    run = bench.redrive(failed)
    assert (run.status, run.answer) == (RunStatus.SUCCEEDED, "broken: sum 1"), bench.ended
    assert sorted(bench.model.asked) == ["bad", "bad", "good", "sum", "sum"]
