"""The steps of a workflow as states: a model's call, an agent's run, a tool's call, words."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_stepfunctions as sfn

from infra.orchestration.fragments.base import Fragment
from infra.orchestration.fragments.exports import Known
from infra.orchestration.fragments.jsonata import (
    DATA,
    DONE,
    build_catch_output,
    build_payload,
    build_place,
    build_refs,
    drop_fields,
    merge,
    wrap_jsonata,
)
from infra.orchestration.fragments.states import build_catch, create_pass, create_state
from infra.orchestration.fragments.waiting import Wait
from infra.orchestration.fragments.workflow import Workflow
from infra.orchestration.names import alias_arn
from infra.orchestration.tasks import ENGINE_ERRORS, MODELS_THROTTLED, TOOL_BUSY, invoke, retry
from infra.tools.tool import compute_runner_seconds
from pentad.domain.declarations.workflows import AgentStep, AnyStep, ModelStep, TextStep, ToolStep
from pentad.orchestration.approvals.waiting_times import compute_first_wait
from pentad.orchestration.lifecycle.start import compute_lease
from pentad.orchestration.workflows.templates import INPUT, find_problems, find_references
from pentad.tools.policy.apply import may_ask

GATEWAY_SECONDS = 305
FUNCTION_SECONDS = 35
"""Time limits of the tasks: a little more than those of the functions."""
_CHILD, _ERROR, _ASKS = "_child", "_error", "_asks"
_RESULT = "$states.result.Payload"
_START = "arn:aws:states:::states:startExecution.sync:2"
_REPLY = "arn:aws:states:::aws-sdk:sfn:startSyncExecution"
"""Express executions can't be waited for by ``.sync``. Source: "Cross-account access for .sync integration pattern" of
the Step Functions developer guide, which names this in its place."""


class StepFragment(Fragment):
    """One step.

    Attributes:
        spec: its definition.
    """

    leaf = True

    def __init__(self, flow: Workflow, spec: AnyStep, templates: dict[str, Any]) -> None:
        """Make a step.

        Args:
            flow: the workflow.
            spec: its definition.
            templates: what refers to other steps, by the names of the definition's fields.
        """
        super().__init__(flow, spec.name)
        self.spec = spec
        self.owned = self.certain = (spec.name,)
        self.result = spec.name
        self._templates = templates

    @property
    def fields(self) -> frozenset[str] | None:
        """The fields of its result; None for words only."""
        return None

    def resolve(self, known: Known) -> Known:
        """See `Fragment`."""
        for field, template in self._templates.items():
            for problem in find_problems(template, known):
                self.flow.problem(self.name, field, problem)
        return {**known, self.name: self.fields}

    def build_call(self, operation: str, more: Mapping[str, str] | None = None, *, refers: bool = True) -> str:
        """Return the payload of one of its states, an expression.

        Args:
            operation: what to do.
            more: further fields, expressions.
            refers: whether what the templates refer to is needed.
        """
        fields = {"step": f"'{self.name}'", "place": build_place(self.spec.number)}
        if refers:
            fields["refs"] = build_refs(self._list_references())
        return build_payload(operation, fields | dict(more or {}))

    def build_task(
        self, operation: str, more: Mapping[str, str] | None = None, *, refers: bool = False
    ) -> dict[str, Any]:
        """Return a task that calls the workflows' function."""
        return invoke(
            self.flow.arn("workflow"), self.build_call(operation, more, refers=refers), seconds=FUNCTION_SECONDS
        )

    def _list_references(self) -> list[str]:
        try:
            found = [one for template in self._templates.values() for one in find_references(template)]
        except ValueError:
            return []  # `resolve` tells what is wrong with it.
        return [one.step for one in found if one.step != INPUT]


class ModelTask(StepFragment):
    """One call of the gateway: one state."""

    def __init__(self, flow: Workflow, spec: ModelStep) -> None:
        self._schema = spec.output_schema
        super().__init__(flow, spec, {"prompt": spec.prompt})
        call = self.build_call("task", {"retry": "$states.context.State.RetryCount"})
        task = invoke(flow.arn("gateway"), call, seconds=GATEWAY_SECONDS, snapshot=True, waits_for=[MODELS_THROTTLED])
        self.first = create_state(self, self.name, task | {"Output": wrap_jsonata(merge(DATA, _RESULT))})
        self.ends = [self.first]

    @property
    def fields(self) -> frozenset[str] | None:
        """The fields that its schema names."""
        return None if self._schema is None else frozenset(self._schema.get("properties", ()))


class Text(StepFragment):
    """Words put together from earlier results: one state."""

    def __init__(self, flow: Workflow, spec: TextStep) -> None:
        super().__init__(flow, spec, {"text": spec.text})
        task = self.build_task("text", refers=True)
        self.first = create_state(self, self.name, task | {"Output": wrap_jsonata(merge(DATA, _RESULT))})
        self.ends = [self.first]


class AgentRun(StepFragment):
    """A run of an agent of its own in a nested execution: three states."""

    def __init__(self, flow: Workflow, spec: AgentStep) -> None:
        super().__init__(flow, spec, {"prompt": spec.prompt})
        kept = merge(DATA, f"{{'{_CHILD}': {_RESULT}}}")
        after = merge(drop_fields(DATA, [_CHILD]), _RESULT)
        done = create_state(
            self, f"{self.name}: collect", self.build_task("child_done") | {"Output": wrap_jsonata(after)}
        )
        making = self.build_task("child", refers=True) | {"Output": wrap_jsonata(kept)}
        begin = create_state(self, self.name, making | build_catch(done, DATA, error=DONE))
        # However the execution ended, the run's record says what came of it.
        run = create_state(self, f"{self.name}: run", self._build_execution_task(spec.agent) | build_catch(done, DATA))
        begin.next(run).next(done)
        self.first, self.ends = begin, [done]

    def _build_execution_task(self, agent: str) -> dict[str, Any]:
        parent = "{'AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID': $states.context.Execution.Id}"
        given = merge(f"{DATA}.{_CHILD}", parent)
        replies = self.flow.agents[agent].pattern == "reply"
        return {
            "Type": "Task",
            "Resource": _REPLY if replies else _START,
            "Arguments": {
                "StateMachineArn": alias_arn(self.flow.machine(agent)),
                "Name": wrap_jsonata(f"{DATA}.{_CHILD}.run"),
                # The SDK's field is a text; that of the optimised integration takes what the text would stand for.
                "Input": wrap_jsonata(f"$string({given})" if replies else given),
            },
            "Output": wrap_jsonata(DATA),
            "TimeoutSeconds": compute_lease(self.flow.agents[agent]),
            "Retry": retry(5, also=ENGINE_ERRORS),
        }


class ToolRun(StepFragment):
    """A call of a tool, by the tool runner: three states.

    Where its calls need an approval there are four more; where only some do, one more that looks which it is.
    """

    def __init__(self, flow: Workflow, spec: ToolStep) -> None:
        super().__init__(flow, spec, {"arguments": spec.arguments})
        told_of = {name: f"{DATA}.{_ERROR}.{name}" for name in ("error", "cause")}
        asks = may_ask(flow.tools[spec.tool].spec, flow.policy, flow.title)
        after = merge(drop_fields(DATA, [_ERROR, _ASKS] if asks == "maybe" else [_ERROR]), _RESULT)
        collect = create_state(
            self, f"{self.name}: collect", self.build_task("call_done", told_of) | {"Output": wrap_jsonata(after)}
        )
        error = merge(DATA, f"{{'{_ERROR}': {build_catch_output('{}')}}}")
        run = create_state(self, f"{self.name}: run", self._build_call_task(spec) | build_catch(collect, error))
        kept = merge(DATA, f"{{'{_ASKS}': {_RESULT}.asks}}") if asks == "maybe" else DATA
        planning = self.build_task("call", refers=True) | {"Output": wrap_jsonata(kept)}
        plan = create_state(self, self.name, planning | build_catch(collect, error, error=DONE))
        plan.next(run if asks == "never" else self._create_way(spec, run, always=asks == "always"))
        run.next(collect)
        self.first, self.ends = plan, [collect]

    def _create_way(self, spec: ToolStep, run: sfn.State, *, always: bool) -> sfn.State:
        """Return the first of the states between a planned call and its run: it asks a human, or looks if it has to."""
        asked = self._create_approval(spec, run)
        if always:
            return asked
        choice = sfn.Choice.jsonata(self, f"{self.name}: asks")
        choice.when(sfn.Condition.jsonata(wrap_jsonata(f"{DATA}.{_ASKS} = true")), asked).otherwise(run)
        return choice

    def _create_approval(self, spec: ToolStep, run: sfn.State) -> sfn.State:
        """Return the first of the states that have a human approve the call: exactly what is shown runs."""
        settle = create_state(
            self, f"{self.name}: settle", self.build_task("settle") | {"Output": wrap_jsonata(Wait.strip_data())}
        )
        settle.next(run)
        first = compute_first_wait(spec.seconds, spec.remind_seconds)
        return Wait(self, self, self.flow.arn("workflow"), seconds=first, suffix=": approval", then=settle).first

    def _build_call_task(self, spec: ToolStep) -> dict[str, Any]:
        ref = "'tenant': $tenant, 'run': $run, 'agent': $agent"
        function = self.flow.arn(f"tool:{spec.tool}")
        task = invoke(
            self.flow.arn("run_tool"),
            f"{{'op': 'run', {ref}, 'step': {build_place(spec.number)}, 'index': 0, 'function': '{function}'}}",
            seconds=compute_runner_seconds(self.flow.tools) + 5,
            waits_for=[TOOL_BUSY],
        )
        return task | {"Output": wrap_jsonata(DATA)}


class Nothing(Fragment):
    """Nothing: where a branch has nothing to do. One state."""

    def __init__(self, flow: Workflow, name: str) -> None:
        super().__init__(flow, name)
        self.owned = ()
        self.first = create_pass(self, name, DATA)
        self.ends = [self.first]

    def resolve(self, known: Known) -> Known:
        """See `Fragment`."""
        return known
