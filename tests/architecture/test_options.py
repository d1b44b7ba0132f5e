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
from pentad.domain.declarations.workflows import WorkflowSpec
from pentad.tools.declare.declare import tool
from pentad.tools.graphs.adapters.langchain_tools import ToolOptions
from tests.architecture.trees import read_tree

_TREES = ("shared", "functions", "infra")
RENAMED = {"permissions": "grants", "rate_limit": "rates"}
"""Options that are kept under another name."""


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
