"""Workflows: found in ``infra/workflows/``, each a state machine with a role that reaches its own parts only."""

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.components import grants
from infra.components.build import Build
from infra.config import Stage
from infra.orchestration.fragments.base import (
    DATA,
    ROUND,
    STOPS,
    Fragment,
    catching,
    expression,
    payload,
    refs_of,
    state,
    told,
)
from infra.orchestration.fragments.flow import Flow
from infra.orchestration.fragments.steps import FUNCTION_SECONDS
from infra.orchestration.humans import asking_environment, grant_asking
from infra.orchestration.loop import invoke
from infra.orchestration.machine import Machine
from infra.orchestration.names import machine_arn
from infra.orchestration.nesting import grant_agents
from infra.orchestration.switches import grant_switches
from pentad.domain.declarations.agents import AgentSpec
from pentad.domain.declarations.workflows import WorkflowSpec
from pentad.domain.errors import ConfigurationError
from pentad.orchestration.workflows.templates import INPUT, references
from pentad.tools.declare.discovery import AnyTool

MODULE = "functions.orchestration.workflow"


@dataclass(frozen=True)
class Written:
    """A workflow as its file says it.

    Attributes:
        flow: its builder.
        root: what the file returned.
        spec: its steps as data.
        chain: all its states.
    """

    flow: Flow
    root: Fragment
    spec: WorkflowSpec
    chain: sfn.Chain


def read_workflows(
    scope: Construct, folder: Path, *, stage: Stage, agents: Mapping[str, AgentSpec], tools: Mapping[str, AnyTool]
) -> dict[str, Written]:
    """Return the workflows of a folder by their names: those of the files, with dashes.

    Args:
        scope: the stack.
        folder: ``infra/workflows``: a file each, with a function ``workflow(flow)``.
        stage: the stage.
        agents: the agents there are.
        tools: the tools there are.

    Raises:
        ConfigurationError: something is wrong with a file; the message names it, the part and the field.
    """
    found = {}
    for path in sorted(folder.glob("*.py")):
        if path.name.startswith("_"):
            continue
        name = path.stem.replace("_", "-")
        if name in agents:
            raise ConfigurationError(f"{path}: there is an agent of the name {name}", fix="give the file another name")
        shown = path.relative_to(folder.parent.parent)
        build = _function_of(path, shown)
        flow = Flow(scope, name, file=shown, stage=stage, agents=agents, tools=tools)
        found[name] = write(flow, build)
    return found


def write(flow: Flow, build: Callable[[Flow], Fragment]) -> Written:
    """Return a workflow that a function puts together.

    Raises:
        ConfigurationError: something does not fit together.
    """
    with _told_by(flow.file):
        root = build(flow)
    if not isinstance(root, Fragment):
        said = f"{flow.file}: workflow(flow) returns {type(root).__name__}"
        raise ConfigurationError(said, fix="return the part that holds all others, such as flow.sequential(...)")
    with _told_by(flow.file):
        spec = flow.spec(root, inspect.getdoc(build) or flow.title)
    return Written(flow, root, spec, _whole(flow, root))


@contextmanager
def _told_by(file: Path) -> Iterator[None]:
    """Let what goes wrong in a workflow's file be told with the file and its line."""
    try:
        yield
    except ConfigurationError:
        raise
    except Exception as error:  # a boundary: what is written in the file may raise anything
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(str(file))]
        line = error.lineno if isinstance(error, SyntaxError) else frames[-1].lineno if frames else None
        why = error.msg if isinstance(error, SyntaxError) else error
        place = str(file) if line is None else f"{file}:{line}"
        raise ConfigurationError(f"{place}: {type(error).__name__}: {why}", fix="correct the file") from error


def _function_of(path: Path, shown: Path) -> Callable[[Flow], Fragment]:
    with _told_by(shown):
        module = _module(path)
    build = getattr(module, "workflow", None)
    if not callable(build):
        raise ConfigurationError(
            f"{shown}: there is no function workflow(flow)", fix="write one; it returns a fragment"
        )
    made: Callable[[Flow], Fragment] = build
    return made


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"infra.workflows.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{path} can't be read")
    module = importlib.util.module_from_spec(spec)
    # Types of its own are looked up by the module's name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _whole(flow: Flow, root: Fragment) -> sfn.Chain:
    """Return all states: the body in one state, so that whatever fails in it ends the run in the store."""
    abort = _abort(flow)
    caught = told("{}")
    begin = state(
        flow,
        "Begin",
        invoke(flow.arn("workflow"), _first_payload(), seconds=FUNCTION_SECONDS)
        | {"Assign": _variables(), "Output": expression(f"{{'{ROUND}': 0}}")}
        | catching(abort, caught, _variables()),
    )
    body = sfn.Parallel.jsonata(flow, "Body", outputs=expression("$states.result[0]"))
    body.branch(root)
    finish = _task(flow, "Finish", "workflow", _finish(flow), abort)
    stop = _task(flow, "Stop", "workflow", payload("stop", _error()), abort)
    deliver = _task(
        flow,
        "Deliver",
        "deliver",
        "$merge([{'op': 'deliver', 'tenant': $tenant, 'run': $run, 'step': $states.input.step, "
        "'kind': $states.input.kind}, $exists($states.input.reason) ? {'reason': $states.input.reason} : {}])",
        abort,
        proof="status",
    )
    body.add_catch(stop, errors=list(STOPS), outputs=expression(caught))
    body.add_catch(abort, errors=["States.ALL"], outputs=expression(caught))
    stop.next(deliver)
    return sfn.Chain.start(begin).next(body).next(finish).next(deliver)


def _abort(flow: Flow) -> sfn.CustomState:
    """Return the state that ends a run whose execution failed."""
    error = ", ".join(f"'{name}': {value}" for name, value in _error().items())
    abort = state(
        flow,
        "Abort",
        invoke(
            flow.arn("deliver"),
            f"{{'op': 'abort', 'tenant': $tenant, 'run': $run, {error}}}",
            seconds=FUNCTION_SECONDS,
            attempts=8,
        )
        | {"Assign": {name: expression(value) for name, value in _error().items()}},
    )
    abort.next(sfn.Fail.jsonata(flow, "Failed", error=expression("$error"), cause=expression("$cause")))
    return abort


def _variables() -> dict[str, str]:
    return {name: expression(f"{DATA}.{name}") for name in ("tenant", "run", "session", "agent")}


def _first_payload() -> str:
    fields = ", ".join(f"'{name}': {DATA}.{name}" for name in ("tenant", "run", "session", "agent"))
    return f"{{'op': 'begin', {fields}}}"


def _error() -> dict[str, str]:
    return {"error": f"{DATA}.error", "cause": f"{DATA}.cause"}


def _finish(flow: Flow) -> str:
    steps = [one.step for one in references(flow.answer) if one.step != INPUT]
    shown = "[$keys($sift($states.input, function($v) {{ $type($v) = 'object' and $v.status = '{}' }}))]"
    fields = {"refs": refs_of(steps), "failed": shown.format("failed"), "capped": shown.format("capped")}
    return payload("finish", fields)


def _task(
    flow: Flow, name: str, function: str, arguments: str, abort: sfn.State, *, proof: str | None = None
) -> sfn.CustomState:
    task = invoke(flow.arn(function), arguments, seconds=FUNCTION_SECONDS, attempts=5, proof=proof)
    return state(flow, name, task | catching(abort, told("{}")))


class WorkflowFunction(Construct):
    """The function functions.orchestration.workflow.

    Attributes:
        function: the function.
    """

    def __init__(
        self, scope: Construct, name: str, *, build: Build, bus: events.EventBus, workflows: Sequence[str]
    ) -> None:
        super().__init__(scope, name)
        stores = build.state
        made = build.function(
            self,
            "workflow",
            module=MODULE,
            environment=build.state_environment
            | asking_environment(build, bus)
            | {"STATE_MACHINE_ARN_PREFIX": machine_arn(self, build.stage, "")},
            timeout_seconds=30,
            description="The steps of workflows: agents' runs, tools' calls, humans, words, the end",
        )
        self.function = made.function
        # It asks humans, and it makes the runs of agents' steps, which takes their sessions' leases and frees them.
        grant_asking(made.role, build, bus, [machine_arn(self, build.stage, one) for one in workflows])
        grants.table(
            made.role,
            stores.transient_table,
            ["dynamodb:GetItem", *grants.WRITE, *grants.DELETE],
            keys=["T#*#S#*"],
        )
        grant_switches(made.role, stores)


class WorkflowMachine(Machine):
    """The state machine of one workflow."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        build: Build,
        written: Written,
        functions: Mapping[str, lambda_.Function],
        tools: Mapping[str, lambda_.Function],
    ) -> None:
        """Make the machine.

        Args:
            scope: the parent.
            name: the construct's id.
            build: the surroundings.
            written: the workflow.
            functions: gateway, workflow and deliver.
            tools: the tools, name to function.
        """
        flow, spec = written.flow, written.spec
        super().__init__(scope, name, stage=build.stage, of=spec.name)
        called = {**functions, **{f"tool:{tool}": tools[tool] for tool in spec.tools}}
        # Published versions: a run in flight keeps its code.
        flow.bind({key: one.current_version.function_arn for key, one in called.items()})
        grants.invoke_versions(self.role, list(called.values()))
        grant_agents(self.role, build, [flow.agents[agent] for agent in flow.used_agents])
        self.publish(
            sfn.DefinitionBody.from_chainable(written.chain),
            language=sfn.QueryLanguage.JSONATA,
            comment=f"Workflow {spec.name}: {spec.description.splitlines()[0]}",
        )
