"""Read workflows from ``infra/workflows/``: a file each, with a function ``workflow(flow)``."""

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from aws_cdk import Annotations
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.config import Stage
from infra.orchestration.fragments.base import Fragment
from infra.orchestration.fragments.flow import Flow
from infra.orchestration.machines.workflow_body import compose_states
from pentad.domain.declarations.agents import AgentSpec
from pentad.domain.declarations.policy import PolicySpec
from pentad.domain.declarations.workflows import AgentStep, WorkflowSpec
from pentad.domain.errors import ConfigurationError
from pentad.domain.money import show
from pentad.models.budgets.defaults import compute_most_in_a_day
from pentad.tools.declare.discovery import AnyTool


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
    scope: Construct,
    folder: Path,
    *,
    stage: Stage,
    agents: Mapping[str, AgentSpec],
    tools: Mapping[str, AnyTool],
    policy: PolicySpec | None = None,
) -> dict[str, Written]:
    """Return the workflows of a folder by their names: those of the files, with dashes.

    Args:
        scope: the stack.
        folder: ``infra/workflows``: a file each, with a function ``workflow(flow)``.
        stage: the stage.
        agents: the agents there are.
        tools: the tools there are.
        policy: policy.yaml; the default one where there is none.

    Raises:
        ConfigurationError: something is wrong with a file; the message names it, the part and the field.
    """
    found = {}
    for path in _list_files(folder):
        name = _name_workflow(path)
        shown = path.relative_to(folder.parent.parent)
        if name in agents:
            raise ConfigurationError(f"{shown}: an agent has the name '{name}' already", fix="rename the file")
        build = _load_builder(path, shown)
        flow = Flow(scope, name, file=shown, stage=stage, agents=agents, tools=tools, policy=policy)
        found[name] = write(flow, build)
        _warn_of_cost(scope, found[name], shown, agents)
    return found


def list_workflow_names(folder: Path) -> list[str]:
    """Return the names of the workflows of a folder, unread."""
    return [_name_workflow(path) for path in _list_files(folder)]


def _list_files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.py")) if not path.name.startswith("_")]


def _name_workflow(path: Path) -> str:
    return path.stem.replace("_", "-")


def compute_most(spec: WorkflowSpec, agents: Mapping[str, AgentSpec]) -> int:
    """Return what a run of a workflow can cost at most, in nano-dollars, but for the last call of each of its parts.

    Nothing of it begins once its own limit is spent, and the agents that work by then may use up theirs. Each step is
    done once at a time: no fragment does one for each entry of a list, and no agent starts another.
    """
    asked = [step.agent for step in spec.steps.values() if isinstance(step, AgentStep)]
    return spec.limits.cost_nanousd + sum(agents[name].limits.cost_nanousd for name in asked if name in agents)


def _warn_of_cost(scope: Construct, written: Written, shown: Path, agents: Mapping[str, AgentSpec]) -> None:
    """Tell at synth of a workflow of which a single run can use up what a tenant has for a day."""
    most, day = compute_most(written.spec, agents), compute_most_in_a_day(1)
    if most > day:
        Annotations.of(scope).add_warning_v2(
            f"pentad:cost:{written.spec.name}",
            f"{shown}: one run can cost {show(most)}, more than the {show(day)} that a tenant has for a day unless an "
            "operator sets more; lower limits.cost of the workflow or of its agents",
        )


def write(flow: Flow, build: Callable[[Flow], Fragment]) -> Written:
    """Return a workflow that a function puts together.

    Raises:
        ConfigurationError: something does not fit together.
    """
    with _wrap_errors(flow.file):
        root = build(flow)
    if not isinstance(root, Fragment):
        said = f"{flow.file}: workflow(flow) returns '{type(root).__name__}', which is not a fragment"
        raise ConfigurationError(said, fix="return the part that holds all others, such as flow.sequential(...)")
    with _wrap_errors(flow.file):
        spec = flow.build_spec(root, inspect.getdoc(build) or flow.title)
    return Written(flow, root, spec, compose_states(flow, root))


@contextmanager
def _wrap_errors(file: Path) -> Iterator[None]:
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


def _load_builder(path: Path, shown: Path) -> Callable[[Flow], Fragment]:
    with _wrap_errors(shown):
        module = _module(path)
    build = getattr(module, "workflow", None)
    if not callable(build):
        raise ConfigurationError(
            f"{shown}: the file has no function 'workflow(flow)'", fix="write one that returns a fragment"
        )
    made: Callable[[Flow], Fragment] = build
    return made


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"infra.workflows.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"Python cannot load {path}", fix="check that it is a readable .py file")
    module = importlib.util.module_from_spec(spec)
    # Types of its own are looked up by the module's name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
