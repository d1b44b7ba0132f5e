"""Every option that is declared is read somewhere in the product, or is refused: none is kept and forgotten."""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from infra.config import Rollout, Stage
from infra.notices import Channels, NoticeSettings
from infra.orchestration.fragments import Flow
from pentad.domain.declarations.agents import AgentSpec
from pentad.domain.declarations.policy import PolicySpec
from pentad.domain.declarations.workflows import WorkflowSpec
from pentad.models.catalog.catalog import ModelCatalog
from pentad.observability.alarms.limits import AlarmLimits
from pentad.observability.alerts.targets import AlertTarget
from pentad.observability.export.targets import Target
from pentad.tools.business.settings import CrmSettings, ErpSettings
from pentad.tools.data.sql.settings import SqlChangeSettings
from pentad.tools.declare.declare import tool
from pentad.tools.graphs.adapters.langchain_tools import ToolOptions
from pentad.tools.mcp.project_file import McpFile
from tests.architecture.trees import read_tree

_TREES = ("shared", "functions", "infra")
RENAMED = {"permissions": "grants", "rate_limit": "rates"}
"""Options that are kept under another name."""
BY_NAME = {
    "Capabilities.forced_tools",
    "Capabilities.images",
    "UntrustedDefaults.external",
    "UntrustedDefaults.internal",
    "UntrustedDefaults.none",
}
"""Fields that are read by a name in a variable."""


@pytest.fixture(scope="module")
def read(root: Path) -> set[str]:
    """Names that the product reads as attributes of something other than ``self``."""
    found = set()
    for path in (one for tree in _TREES for one in (root / tree).rglob("*.py")):
        for node in ast.walk(read_tree(path)):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                if not (isinstance(node.value, ast.Name) and node.value.id == "self"):
                    found.add(node.attr)
    return found


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that an annotation names."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in get_args(kind):
        yield from _models(part)


def _declared(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Yield the fields of a model and of the models in it, each with the model's name."""
    for name, field in model.model_fields.items():
        yield model.__name__, name
        for inner in _models(field.annotation):
            yield from _declared(inner)


def test_every_field_of_an_agent_and_of_a_workflow_is_read(read: set[str]) -> None:
    declared = {*_declared(AgentSpec), *_declared(WorkflowSpec)}
    assert len(declared) > 40
    assert not {f"{model}.{name}" for model, name in declared if name not in read}


def test_every_option_of_a_stage_is_read(read: set[str]) -> None:
    declared = {(kind.__name__, one.name) for kind in (Stage, Rollout) for one in fields(kind)}
    declared |= {(kind.__name__, name) for kind in (NoticeSettings, Channels) for name in kind.model_fields}
    # ``Channels.slack`` is read by its own ``list_enabled``, which whoever asks for channels calls.
    assert {name for _, name in declared if name not in read} <= {"slack"}


def test_every_option_of_a_tool_is_read(read: set[str]) -> None:
    # What takes anything else (``*given``, ``**unknown``) is refused with words: it is no option.
    options = {name for name, one in inspect.signature(tool).parameters.items() if one.kind is one.KEYWORD_ONLY}
    declared = options | set(ToolOptions.__annotations__)
    kept = {RENAMED.get(name, name) for name in declared}
    assert len(declared) > 15
    assert not kept - read


def test_every_option_that_a_workflows_file_may_set_reaches_the_workflow() -> None:
    assert set(Flow.__annotations__) <= set(WorkflowSpec.model_fields)


def test_every_option_and_argument_of_a_command_is_read_by_it(root: Path) -> None:
    """Whether one is dropped in a branch, `tests/unit/cli/commands/test_flags.py` tries."""
    dropped, seen = [], 0
    for path in (root / "shared" / "pentad" / "cli").rglob("*.py"):
        for node in ast.walk(read_tree(path)):
            if not isinstance(node, ast.FunctionDef):
                continue
            read_names = {one.id for part in node.body for one in ast.walk(part) if isinstance(one, ast.Name)}
            for argument in (*node.args.args, *node.args.kwonlyargs):
                told = ast.unparse(argument.annotation) if argument.annotation is not None else ""
                if "typer." in told or told in ("operator.Stage", "Tenant", "Yes", "Limit", "Since"):
                    seen += 1
                    if argument.arg not in read_names and not _is_eager(told):
                        dropped.append(f"{path.relative_to(root)}:{node.lineno} {argument.arg}")
    assert seen > 150
    assert dropped == []


def _is_eager(told: str) -> bool:
    """Whether a callback of its own reads an option."""
    return "callback=" in told


@pytest.mark.parametrize(
    "model",
    [McpFile, ModelCatalog, PolicySpec, Target, AlertTarget, AlarmLimits, SqlChangeSettings, CrmSettings, ErpSettings],
)
def test_every_field_of_a_projects_files_is_read(read: set[str], model: type[BaseModel]) -> None:
    declared = set(_declared(model))
    assert declared
    assert {f"{name}.{field}" for name, field in declared if field not in read} <= BY_NAME
