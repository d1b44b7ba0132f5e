"""Make a run's waterfall from its execution's history, steps, model attempts and tool calls. Pure.

States and functions come from the history (what Step Functions saw), models and tools from our own records (what the
functions did inside), each hung below the function that made it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pentad.domain.models import Attempt
from pentad.domain.reading.json_text import read_json
from pentad.domain.runs import Run, Step, ToolCall
from pentad.orchestration.trace.cold_starts import find_cold_start
from pentad.orchestration.trace.graph_spans import Hung, attach_graphs
from pentad.orchestration.trace.span_tree import (
    Node,
    TraceSpan,
    Value,
    choose_function,
    find_function,
    flatten,
    make_model_node,
)
from pentad.tools.graphs.equipment import PURPOSE
from pentad.tools.graphs.nodes import GRAPHS, GraphNodes

__all__ = ["TraceSpan", "build_spans", "count_transitions", "read_history"]

_GATEWAY = "gateway"  # the function that a workflow's model steps call
_ENTERED = "StateEntered"
_EXITED = "StateExited"
PARTS = 100
"""So many executions of one run are read at most."""
_SCHEDULED = frozenset({"TaskScheduled", "LambdaFunctionScheduled"})
_OUTCOMES = {
    "TaskSucceeded": "ok",
    "TaskFailed": "error",
    "TaskTimedOut": "timeout",
    "TaskSubmitted": "ok",
    "LambdaFunctionSucceeded": "ok",
    "LambdaFunctionFailed": "error",
    "LambdaFunctionTimedOut": "timeout",
}


def count_transitions(history: Sequence[Mapping[str, Any]]) -> int:
    """Return the states entered, those of a Map's iterations included: what Step Functions bills as transitions."""
    return sum(1 for event in history if str(event["type"]).endswith(_ENTERED))


def read_history(run: Run, history_of: Callable[[str], Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Return the history of a run over all its executions as one, its events numbered through.

    Args:
        run: the run; a long one goes on in executions whose names begin with its id.
        history_of: returns the history of an execution, such as `WorkflowEngine.get_history`.
    """
    events: list[dict[str, Any]] = []
    following = run.execution_arn
    for _ in range(PARTS):
        if following is None:
            break
        offset = len(events)
        part = history_of(following)
        events += [_move_event(event, offset) for event in part]
        following = _find_continuation(run.run_id, part)
    return events


def _move_event(event: Mapping[str, Any], offset: int) -> dict[str, Any]:
    previous = int(event.get("previousEventId", 0))
    return {**event, "id": int(event["id"]) + offset, "previousEventId": previous + offset if previous else 0}


def _find_continuation(run_id: str, history: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the execution in which a run goes on after this history, or None."""
    for event in reversed(history[-10:]):
        if event["type"] != "TaskSubmitted":
            continue
        output = (event.get("taskSubmittedEventDetails") or {}).get("output") or "{}"
        try:
            arn = str(read_json(output).get("ExecutionArn", ""))
        except (ValueError, AttributeError):
            continue
        if arn.rpartition(":")[2].startswith(f"{run_id}-"):
            return arn
    return None


def build_spans(
    run: Run,
    history: Sequence[Mapping[str, Any]],
    steps: Sequence[Step],
    attempts: Sequence[Attempt],
    calls: Sequence[ToolCall],
    *,
    graphs: Sequence[GraphNodes] = (),
    now: datetime,
) -> tuple[TraceSpan, ...]:
    """Return the waterfall, parents before children, each level by its start.

    Args:
        run: the run.
        history: the events of its executions (`read_history`); none where there is no execution, or where it is an
            Express one: then the turns are those of our own records.
        steps: the run's steps.
        attempts: the run's model attempts.
        calls: the run's tool calls.
        graphs: what ran inside those of them that are graphs, the first `GRAPHS`.
        now: the end of what has not ended.
    """
    root = Node(run.run_id, "run", run.created_at, run.ended_at or now, _build_run_attributes(run), [])
    if len(graphs) >= GRAPHS:
        root.attributes["graphs_shown"] = len(graphs)
    states = _States(history, now)
    if not history:
        states.add_steps(steps)
    root.children = states.roots
    _attach_attempts(root, states, steps, [one for one in attempts if one.context.purpose != PURPOSE])
    hung = _attach_calls(root, states, calls, now)
    attach_graphs(root, hung, graphs, [one for one in attempts if one.context.purpose == PURPOSE], now)
    return tuple(flatten(root, 0))


def _build_run_attributes(run: Run) -> dict[str, Value]:
    found: dict[str, Value] = {"agent": run.agent}
    if run.confidence is not None:
        found["confidence"] = run.confidence
    return found | {"status": run.status.value, "cost_nanousd": run.spent.cost_nanousd}


class _States:
    """The states and functions of a history, as a forest."""

    def __init__(self, history: Sequence[Mapping[str, Any]], now: datetime) -> None:
        self._events = {int(event["id"]): event for event in history}
        self._now = now
        self._nodes: dict[int, Node] = {}
        self._functions: dict[int, Node] = {}
        self._calls: dict[tuple[int, int], list[Node]] = {}
        self._closed: dict[int, int] = {}
        self.roots: list[Node] = []
        for event in history:
            self._handle_event(event)

    def add_steps(self, steps: Sequence[Step]) -> None:
        """Take the turns from their records."""
        for step in steps:
            end = step.started_at + timedelta(milliseconds=step.duration_ms)
            node = Node("Think", "state", step.started_at, end, {"step": step.step}, [])
            self._nodes[-step.step] = node
            self.roots.append(node)

    def list_runners(self, step: int, index: int) -> list[Node]:
        """Return the functions that were to run a tool call, one for each try, in the order they were started."""
        return self._calls.get((step, index), [])

    def list_named(self, name: str) -> list[Node]:
        """Return the states of a name in the order they were entered."""
        return [node for node in self._nodes.values() if node.name == name]

    def _handle_event(self, event: Mapping[str, Any]) -> None:
        kind = str(event["type"])
        if kind.endswith(_ENTERED):
            self._enter(event)
        elif kind.endswith(_EXITED):
            self._exit(event)
        elif kind in _SCHEDULED:
            self._start_function(event, kind)
        elif kind in _OUTCOMES:
            self._end_function(event, _OUTCOMES[kind])

    def _enter(self, event: Mapping[str, Any]) -> None:
        node = Node(event["stateEnteredEventDetails"]["name"], "state", event["timestamp"], self._now, {}, [])
        parent = self._find_state(event)
        (self.roots if parent is None else self._nodes[parent].children).append(node)
        self._nodes[int(event["id"])] = node

    def _exit(self, event: Mapping[str, Any]) -> None:
        name = (event.get("stateExitedEventDetails") or {}).get("name")
        # By its name: a Map that failed leaves states of its iterations that were never left.
        entered = next(
            (one for one in self._iter_ancestors(event) if one in self._nodes and self._nodes[one].name == name), None
        )
        if entered is not None:
            self._nodes[entered].end = event["timestamp"]
            self._closed[int(event["id"])] = entered

    def _start_function(self, event: Mapping[str, Any], kind: str) -> None:
        state = self._find_state(event)
        if state is None:
            return
        details = event.get("taskScheduledEventDetails") or event.get("lambdaFunctionScheduledEventDetails") or {}
        parameters = _parse_parameters(details)
        node = Node(_get_function_name(details, parameters), "function", event["timestamp"], self._now, {}, [])
        self._nodes[state].children.append(node)
        payload = parameters.get("Payload")
        if self._nodes[state].name == "Think" and isinstance(payload, dict) and isinstance(payload.get("step"), int):
            self._nodes[state].attributes["step"] = payload["step"]
        call = _find_call(payload)
        if call is not None:
            self._calls.setdefault(call, []).append(node)
        self._functions[int(event["id"])] = node

    def _end_function(self, event: Mapping[str, Any], outcome: str) -> None:
        for earlier in self._iter_ancestors(event):
            node = self._functions.get(earlier)
            if node is not None:
                node.end = event["timestamp"]
                node.attributes |= {"outcome": outcome, **find_cold_start(event)}
                return

    def _find_state(self, event: Mapping[str, Any]) -> int | None:
        """Return the innermost state that encloses an event: the nearest one back that was not left meanwhile."""
        for earlier in self._iter_ancestors(event):
            if earlier in self._nodes:
                return earlier
        return None

    def _iter_ancestors(self, event: Mapping[str, Any]) -> Iterator[int]:
        """Yield the ids of the events that led to one, the nearest first; states that were left are passed over."""
        current = int(event.get("previousEventId", 0))
        while current in self._events:
            if current in self._closed:
                # Jump to what came before the state that was left here.
                entered = self._closed[current]
                current = int(self._events[entered].get("previousEventId", 0))
                continue
            yield current
            current = int(self._events[current].get("previousEventId", 0))


def _parse_parameters(details: Mapping[str, Any]) -> Mapping[str, Any]:
    given = details.get("parameters") or "{}"
    try:
        parameters = read_json(given) if isinstance(given, str) else given
    except ValueError:
        return {}
    return parameters if isinstance(parameters, Mapping) else {}


def _find_call(payload: object) -> tuple[int, int] | None:
    """Return the step and the index of the tool call that a function was asked to run; None where it was not.

    What a function is named says nothing: one function runs the calls of all tools. Only the payload tells them apart.
    """
    if not isinstance(payload, Mapping) or payload.get("op") != "run":
        return None
    step, index = payload.get("step"), payload.get("index")
    return (step, index) if isinstance(step, int) and isinstance(index, int) else None


def _get_function_name(details: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    """Return the name of the function that a task invokes, from its parameters or its ARN."""
    arn = str(parameters.get("FunctionName") or details.get("resource") or "function")
    parts = arn.split(":")
    return parts[6] if len(parts) > 6 and parts[2] == "lambda" else arn


def _group_thinks(states: _States) -> dict[int, list[Node]]:
    """Return the Think states of each step: where a run went on in another execution, its last step has two."""
    found: dict[int, list[Node]] = {}
    for place, node in enumerate(states.list_named("Think"), start=1):
        found.setdefault(int(node.attributes.setdefault("step", place)), []).append(node)
    return found


def _attach_attempts(root: Node, states: _States, steps: Sequence[Step], attempts: Sequence[Attempt]) -> None:
    told = {step.step: _build_step_attributes(step) for step in steps}
    thinks = _group_thinks(states)
    for place, nodes in thinks.items():
        nodes[0].attributes.update(told.get(place, {}))
    recalls = states.list_named("Recall")
    for attempt in attempts:
        step = attempt.context.step
        places = recalls if step is None else thinks.get(step, [])
        # A workflow's model steps are states of their own, beside others that run at the same time.
        at, function = (places[0], "") if places else (root, "" if step is None else _GATEWAY)
        find_function(at, attempt.started_at, function).children.append(make_model_node(attempt))


def _build_step_attributes(step: Step) -> dict[str, Value]:
    decision: dict[str, Value] = {"decision": step.decision.kind}
    if step.assessment is None:
        return decision
    # First, since a terminal may cut what comes last.
    return {"confidence": step.assessment.confidence, "band": step.assessment.band.value} | decision


def _attach_calls(root: Node, states: _States, calls: Sequence[ToolCall], now: datetime) -> list[Hung]:
    """Hang the calls that have begun, and return where each is, those included that have no word of it yet."""
    acts = _map_acts(states)
    hung = []
    for call in calls:
        place = acts.get(call.step) or root
        runners = states.list_runners(call.step, call.index)
        hung.append(Hung(call.step, call.index, place, runners))
        if call.started_at is None:
            continue
        attributes: dict[str, Value] = {"step": call.step, "index": call.index, "status": call.status.value}
        node = Node(call.tool, "tool", call.started_at, call.ended_at or now, attributes, [])
        hung[-1].tool = node
        choose_function(runners, call.started_at, place).children.append(node)
    return hung


def _map_acts(states: _States) -> dict[int, Node]:
    """Return the Act state that followed each step's last Think: the first that began after it."""
    acts = states.list_named("Act")
    thinks = states.list_named("Think")
    found: dict[int, Node] = {}
    for place, think in enumerate(thinks):
        following = thinks[place + 1].start if place + 1 < len(thinks) else None
        for act in acts:
            if act.start >= think.start and (following is None or act.start < following):
                found[int(think.attributes.get("step", place + 1))] = act
                break
    return found
