"""The waterfall of a run, from a history as Step Functions returns it."""

import json
from datetime import timedelta
from typing import Any

from pentad.domain.models import Attempt, CallContext, Outcome
from pentad.domain.runs import Assessment, Band, CallStatus, Decision, Run, RunStatus, Step, ToolCall
from pentad.orchestration.trace.run_spans import TraceSpan, build_spans, count_transitions, read_history
from tests.unit.orchestration.world import START, TENANT

RUN = "run_" + "0" * 26
_ARN = "arn:aws:lambda:us-east-1:123456789012:function:pentad-dev-"


class History:
    """Builds a history; the ids and the chain of previous events are as AWS gives them."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.last = 0
        self.add("ExecutionStarted", 0)

    def add(self, kind: str, at_ms: int, previous: int | None = None, **details: Any) -> int:
        number = len(self.events) + 1
        self.events.append(
            {
                "id": number,
                "previousEventId": self.last if previous is None else previous,
                "type": kind,
                "timestamp": START + timedelta(milliseconds=at_ms),
                **details,
            }
        )
        self.last = number
        return number

    def enter(self, name: str, at_ms: int, kind: str = "Task", previous: int | None = None) -> int:
        return self.add(f"{kind}StateEntered", at_ms, previous, stateEnteredEventDetails={"name": name})

    def leave(self, name: str, at_ms: int, kind: str = "Task", previous: int | None = None) -> int:
        return self.add(f"{kind}StateExited", at_ms, previous, stateExitedEventDetails={"name": name})

    def schedule(self, function: str, at_ms: int, **payload: Any) -> int:
        parameters = json.dumps({"FunctionName": _ARN + function, "Payload": payload})
        return self.add("TaskScheduled", at_ms, taskScheduledEventDetails={"parameters": parameters})

    def run_tool(self, step: int, index: int, at_ms: int) -> int:
        """As the Act state does it: one function for the calls of all tools."""
        return self.schedule("run-tool", at_ms, op="run", tenant=TENANT, run=RUN, step=step, index=index)

    def task(self, name: str, function: str, start: int, end: int) -> None:
        self.enter(name, start)
        self.schedule(function, start)
        self.add("TaskStarted", start)
        self.add("TaskSucceeded", end)
        self.leave(name, end)


def _history() -> History:
    """A run with one turn of two calls in parallel, the second of which is retried once, and an answer."""
    history = History()
    history.task("Recall", "recall", 0, 10)
    history.task("Think", "gateway", 10, 50)
    history.enter("Decide", 50, "Choice")
    history.leave("Decide", 51, "Choice")
    history.enter("Act", 51, "Map")
    started = history.add("MapStateStarted", 51)
    first = history.add("MapIterationStarted", 52, started)
    second = history.add("MapIterationStarted", 52, started)
    history.enter("Call", 52, previous=first)
    history.run_tool(1, 0, 52)
    one = history.add("TaskStarted", 53)
    history.enter("Call", 52, previous=second)
    history.run_tool(1, 1, 52)
    history.add("TaskFailed", 60)
    history.run_tool(1, 1, 70)
    two = history.add("TaskStarted", 70)
    history.add("TaskSucceeded", 80, one)
    history.leave("Call", 81)
    history.add("MapIterationSucceeded", 81)
    history.add("TaskSucceeded", 90, two)
    history.leave("Call", 91)
    history.add("MapIterationSucceeded", 91)
    history.add("MapStateSucceeded", 92)
    history.leave("Act", 92, "Map")
    history.task("Think", "gateway", 92, 120)
    history.enter("Decide", 120, "Choice")
    history.leave("Decide", 121, "Choice")
    history.task("Deliver", "deliver", 121, 130)
    history.add("ExecutionSucceeded", 130)
    return history


def _run(**values: Any) -> Run:
    fields: dict[str, Any] = {
        "tenant": TENANT,
        "run": RUN,
        "agent": "assistant",
        "session": "s1",
        "status": RunStatus.SUCCEEDED,
        "trigger": "api",
        "created_at": START,
        "updated_at": START,
        "ended_at": START + timedelta(milliseconds=131),
        "request_seq": 0,
        "request_hash": "h",
    }
    return Run.model_validate(fields | values)


def _attempt(step: int | None, at_ms: int, duration_ms: int = 5, model: str = "model-1") -> Attempt:
    return Attempt(
        attempt_id=f"att_{step}_{at_ms}",
        context=CallContext(tenant_id=TENANT, run_id=RUN, step=step),
        provider="p",
        model=model,
        tier="primary",
        link=0,
        number=1,
        outcome=Outcome.OK,
        started_at=START + timedelta(milliseconds=at_ms),
        duration_ms=duration_ms,
    )


def _call(index: int, tool: str, start_ms: int, end_ms: int) -> ToolCall:
    return ToolCall(
        tenant_id=TENANT,
        run_id=RUN,
        step=1,
        index=index,
        call_id=f"c{index}",
        tool=tool,
        arguments={},
        arguments_hash="h",
        status=CallStatus.SUCCEEDED,
        started_at=START + timedelta(milliseconds=start_ms),
        ended_at=START + timedelta(milliseconds=end_ms),
    )


def _step(step: int, kind: Any) -> Step:
    return Step(
        tenant_id=TENANT,
        run_id=RUN,
        step=step,
        decision=Decision(kind=kind, step=step),
        message_seq=1,
        started_at=START,
        duration_ms=1,
    )


def _spans() -> tuple[TraceSpan, ...]:
    attempts = [_attempt(None, 3, model="embed"), _attempt(1, 15), _attempt(2, 100)]
    calls = [_call(0, "calculator", 55, 75), _call(1, "date_time", 72, 85)]
    steps = [_step(1, "tools"), _step(2, "answer")]
    return build_spans(_run(), _history().events, steps, attempts, calls, now=START)


def test_transitions_count_every_state_entered() -> None:
    assert count_transitions(_history().events) == 4 + 3 + 2


def test_a_plain_answer_is_four_transitions() -> None:
    history = History()
    history.task("Recall", "recall", 0, 1)
    history.task("Think", "gateway", 1, 2)
    history.enter("Decide", 2, "Choice")
    history.leave("Decide", 2, "Choice")
    history.task("Deliver", "deliver", 2, 3)
    assert count_transitions(history.events) == 4


def test_the_waterfall_nests_functions_models_and_tools() -> None:
    shown = [(span.depth, span.kind, span.name) for span in _spans()]
    assert shown == [
        (0, "run", RUN),
        (1, "state", "Recall"),
        (2, "function", "pentad-dev-recall"),
        (3, "model", "embed"),
        (1, "state", "Think"),
        (2, "function", "pentad-dev-gateway"),
        (3, "model", "model-1"),
        (1, "state", "Decide"),
        (1, "state", "Act"),
        (2, "state", "Call"),
        (3, "function", "pentad-dev-run-tool"),
        (4, "tool", "calculator"),
        (2, "state", "Call"),
        (3, "function", "pentad-dev-run-tool"),
        (3, "function", "pentad-dev-run-tool"),
        (4, "tool", "date_time"),
        (1, "state", "Think"),
        (2, "function", "pentad-dev-gateway"),
        (3, "model", "model-1"),
        (1, "state", "Decide"),
        (1, "state", "Deliver"),
        (2, "function", "pentad-dev-deliver"),
    ]


def test_a_model_step_of_a_workflow_is_never_below_the_function_of_a_step_beside_it() -> None:
    history = History()
    started = history.add("ParallelStateStarted", 0)
    history.enter("facts", 0, previous=started)
    history.schedule("gateway", 0)
    facts = history.add("TaskStarted", 0)
    history.enter("today", 0, previous=started)
    history.schedule("workflow", 1)
    today = history.add("TaskStarted", 1)
    history.add("TaskSucceeded", 40, today)
    history.add("TaskSucceeded", 50, facts)
    spans = build_spans(_run(), history.events, [], [_attempt(1, 20)], [], now=START + timedelta(seconds=1))
    names = [span.name for span in spans]
    assert names[names.index("model-1") - 1] == "pentad-dev-gateway"


def test_durations_are_those_of_the_history() -> None:
    spans = {(span.kind, span.name): span for span in _spans()}
    assert spans["state", "Recall"].duration_ms == 10
    assert spans["state", "Act"].duration_ms == 41
    assert next(span for span in _spans() if span.name == "pentad-dev-run-tool").duration_ms == 28
    assert spans["tool", "calculator"].duration_ms == 20


def test_a_retried_function_shows_both_outcomes() -> None:
    spans = [span for span in _spans() if span.name == "pentad-dev-run-tool"]
    assert [span.attributes["outcome"] for span in spans] == ["ok", "error", "ok"]


def _act_at_once(count: int) -> History:
    """One Act state whose calls all begin at the same millisecond, and end in the order that is the other way round."""
    history = History()
    history.task("Think", "gateway", 0, 10)
    history.enter("Act", 10, "Map")
    started = history.add("MapStateStarted", 10)
    running = []
    for index in range(count):
        iteration = history.add("MapIterationStarted", 10, started)
        history.enter("Call", 10, previous=iteration)
        history.run_tool(1, index, 10)
        running.append(history.add("TaskStarted", 10))
    for index in reversed(range(count)):
        history.add("TaskSucceeded", 100 - index, running[index])
        history.leave("Call", 100 - index)
    return history


def test_parallel_calls_of_one_tool_hang_each_below_its_own_iteration() -> None:
    calls = [_call(index, "look_up", 20, 90 - index) for index in range(40)]
    spans = build_spans(_run(), _act_at_once(40).events, [], [], calls, now=START)
    above = [(spans[at - 2].name, spans[at - 1]) for at, span in enumerate(spans) if span.kind == "tool"]
    assert [(name, one.kind, one.name) for name, one in above] == [("Call", "function", "pentad-dev-run-tool")] * 40
    shown = [span for span in spans if span.kind == "tool"]
    assert [
        (one.attributes["index"], function.duration_ms) for one, (_, function) in zip(shown, above, strict=True)
    ] == [(index, 90 - index) for index in range(40)]


def test_a_call_that_failed_for_good_hangs_below_the_function_that_ran_it_and_not_that_which_noted_it() -> None:
    history = History()
    history.enter("Act", 0, "Map")
    history.enter("Call", 0)
    history.run_tool(1, 0, 0)
    history.add("TaskFailed", 30)
    history.leave("Call", 30)
    history.enter("CallFailed", 30)
    history.schedule("deliver", 30, op="call_failed", step=1, index=0)
    history.add("TaskSucceeded", 40)
    history.leave("CallFailed", 40)
    spans = build_spans(_run(), history.events, [], [], [_call(0, "calculator", 31, 35)], now=START)
    names = [span.name for span in spans]
    assert names[names.index("calculator") - 1] == "pentad-dev-run-tool"


def test_a_tools_step_of_a_workflow_hangs_below_its_own_function() -> None:
    history = History()
    started = history.add("ParallelStateStarted", 0)
    for place, index in ((101, 0), (102, 0)):
        history.enter(f"step-{place}", 0, previous=started)
        history.run_tool(place, index, 0)
    calls = [_call(0, "calculator", 5, 9).model_copy(update={"step": place}) for place in (102, 101)]
    spans = build_spans(_run(kind="workflow"), history.events, [], [], calls, now=START + timedelta(seconds=1))
    found = {spans[at - 2].name: span.attributes["step"] for at, span in enumerate(spans) if span.kind == "tool"}
    assert found == {"step-101": 101, "step-102": 102}


def test_a_function_tells_its_cold_start_and_an_attempt_its_first_byte() -> None:
    history = History()
    history.enter("Think", 0)
    history.schedule("gateway", 0)
    history.add("TaskStarted", 0)
    output = json.dumps({"Payload": {"kind": "answer", "cold_start": 640}})
    history.add("TaskSucceeded", 900, taskSucceededEventDetails={"output": output})
    history.leave("Think", 900)
    attempt = _attempt(1, 700, 150).model_copy(update={"first_byte_ms": 140})
    spans = build_spans(_run(), history.events, [], [attempt], [], now=START)
    function, model = [next(one for one in spans if one.kind == kind) for kind in ("function", "model")]
    assert function.attributes == {"outcome": "ok", "cold_start_ms": 640}
    assert (model.attributes["first_byte_ms"], model.depth) == (140, function.depth + 1)


def test_think_states_have_their_step_and_decision() -> None:
    spans = [span for span in _spans() if span.name == "Think"]
    assert [(span.attributes["step"], span.attributes["decision"]) for span in spans] == [(1, "tools"), (2, "answer")]


def test_confidence_is_told_at_the_run_and_at_each_step_that_was_assessed() -> None:
    sure = Assessment(confidence=0.75, band=Band.REVIEW, signals=())
    steps = [_step(1, "tools"), _step(2, "answer").model_copy(update={"assessment": sure})]
    spans = build_spans(_run(confidence=0.75), _history().events, steps, [], [], now=START)
    told = [(one.attributes.get("confidence"), one.attributes.get("band")) for one in spans if one.name == "Think"]
    assert told == [(None, None), (0.75, "review")]
    assert spans[0].attributes["confidence"] == 0.75
    assert "confidence" not in _spans()[0].attributes


def test_states_that_are_still_open_end_now() -> None:
    history = History()
    history.task("Recall", "recall", 0, 10)
    history.enter("Think", 10)
    history.schedule("gateway", 10)
    now = START + timedelta(seconds=1)
    run = _run(status=RunStatus.RUNNING, ended_at=None)
    spans = build_spans(run, history.events, [], [], [], now=now)
    assert [span.end for span in spans if span.name in {RUN, "Think", "pentad-dev-gateway"}] == [now] * 3


def test_a_state_after_a_failed_map_is_not_inside_of_it() -> None:
    history = History()
    history.enter("Act", 0, "Map")
    history.add("MapStateStarted", 0)
    history.add("MapIterationStarted", 0)
    history.enter("Call", 0)
    history.run_tool(1, 0, 0)
    history.add("TaskFailed", 5)
    history.add("MapIterationFailed", 5)
    history.add("MapStateFailed", 5)
    history.leave("Act", 5, "Map")
    history.task("Abort", "deliver", 5, 9)
    spans = build_spans(_run(), history.events, [], [], [], now=START)
    assert [(span.depth, span.name) for span in spans if span.kind == "state"] == [
        (1, "Act"),
        (2, "Call"),
        (1, "Abort"),
    ]


def test_without_a_history_models_and_tools_hang_below_the_run() -> None:
    spans = build_spans(_run(), [], [], [_attempt(1, 15)], [_call(0, "calculator", 55, 75)], now=START)
    assert [(span.depth, span.kind) for span in spans] == [(0, "run"), (1, "model"), (1, "tool")]


def test_without_a_history_turns_come_from_their_records() -> None:
    spans = build_spans(_run(), [], [_step(1, "answer")], [_attempt(1, 0)], [], now=START)
    assert [(span.name, span.depth) for span in spans] == [(RUN, 0), ("Think", 1), ("model-1", 2)]
    assert spans[1].attributes["decision"] == "answer"


def test_a_call_that_never_began_is_not_shown() -> None:
    call = _call(0, "calculator", 55, 75).model_copy(update={"started_at": None})
    assert [span.kind for span in build_spans(_run(), [], [], [], [call], now=START)] == ["run"]


def _part(name: str, following: str | None) -> list[dict[str, Any]]:
    """Return the history of one execution: one state, and where it goes on."""
    history = History()
    history.enter(name, 1)
    history.leave(name, 2)
    if following is not None:
        history.enter("Continue", 3)
        output = json.dumps({"ExecutionArn": f"arn:aws:states:us-east-1:123456789012:execution:m:{following}"})
        history.add("TaskSubmitted", 4, taskSubmittedEventDetails={"output": output})
        history.leave("Continue", 5)
    return history.events


def test_the_histories_of_a_run_that_went_on_in_other_executions_are_one() -> None:
    run = _run().model_copy(update={"execution_arn": "first"})
    arn = "arn:aws:states:us-east-1:123456789012:execution:m:"
    found = {"first": _part("Recall", f"{RUN}-2"), f"{arn}{RUN}-2": _part("Think", None)}
    history = read_history(run, found.__getitem__)
    assert [event["id"] for event in history] == list(range(1, len(history) + 1))
    assert count_transitions(history) == 3
    spans = build_spans(run, history, [], [], [], now=START + timedelta(seconds=1))
    assert [(span.name, span.depth) for span in spans if span.kind == "state"] == [
        ("Recall", 1),
        ("Think", 1),
        ("Continue", 1),
    ]


def test_an_execution_of_another_run_is_no_continuation() -> None:
    run = _run().model_copy(update={"execution_arn": "first"})
    assert len(read_history(run, {"first": _part("Ask", "run_other")}.__getitem__)) == 6


def test_a_run_without_an_execution_has_no_history() -> None:
    assert read_history(_run().model_copy(update={"execution_arn": None}), lambda _: _part("Ask", None)) == []
