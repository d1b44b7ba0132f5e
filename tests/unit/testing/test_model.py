"""A scripted model: lines become steps, and what is wrong with a script is said to whoever wrote it."""

import pytest

from pentad.testing.model import ScriptedModel, UnexpectedRequest
from tests.unit.testing.scripts import DirectControl
from twin.simulator.neutral import Problem, Reply
from twin.simulator.script import RawReply

NAME = "t-1.a-1.s-1.r-1.step1.x"


@pytest.fixture
def control() -> DirectControl:
    return DirectControl()


@pytest.fixture
def model(control: DirectControl) -> ScriptedModel:
    return ScriptedModel(control, ("t-1",), "the test")


def test_lines_are_said_in_order_with_their_arguments(control: DirectControl, model: ScriptedModel) -> None:
    model.calls("refund", tool="of the tool's own", when=3).calls_together(("a", {}), ("b", {"x": [1]}), text="Both.")
    model.fails(503).replies(text="Cut", stop_reason="max_tokens")
    first, second, third, last = (control.ask(NAME, word) for word in ("one", "two", "three", "four"))
    assert isinstance(first, Reply)
    assert [(call.name, call.arguments) for call in first.calls] == [
        ("refund", {"tool": "of the tool's own", "when": 3})
    ]
    assert isinstance(second, Reply)
    assert ([call.name for call in second.calls], second.text) == (["a", "b"], "Both.")
    assert isinstance(third, RawReply)
    assert third.status == 503
    assert isinstance(last, Reply)
    assert last.stop == "max_tokens"
    model.check_used()


def test_a_line_with_a_condition_waits_for_its_words(control: DirectControl, model: ScriptedModel) -> None:
    model.when("late").says("Sorry.")
    with pytest.raises(Problem):
        control.ask(NAME, "It is early.")
    with pytest.raises(UnexpectedRequest, match=r"told: +It is early.\n +the script expects one .* just told 'late'"):
        model.check_expected()


def test_what_is_beyond_the_script_says_how_to_go_on(control: DirectControl, model: ScriptedModel) -> None:
    with pytest.raises(Problem):
        control.ask(NAME, "Hello " + "x" * 1000)
    with pytest.raises(UnexpectedRequest, match=r"no further request: add a line with says\(\) or calls\(\)") as told:
        model.check_used()
    assert max(map(len, str(told.value).splitlines())) < 250


def test_a_model_that_was_closed_leaves_its_requests_to_others(control: DirectControl, model: ScriptedModel) -> None:
    model.says("Hello.").close()
    assert control.ask(NAME, "Hello") is None
