"""The table in `twin/moto_patches/README.md` lists every patch of moto with its module and a test that exists."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.architecture.trees import read_tree

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "twin" / "moto_patches"
_ROW = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \| `([^`]+)::(\w+)` \|$", re.M)


class Row(NamedTuple):
    """One row of the table."""

    patched: str
    module: str
    file: str
    test: str


ROWS = [Row(*match) for match in _ROW.findall((FOLDER / "README.md").read_text(encoding="utf-8"))]


def test_the_table_lists_every_patch_and_its_module() -> None:
    path = os.pathsep.join((str(ROOT), str(ROOT / "shared")))
    command = [sys.executable, "-m", "tests.architecture.list_patches"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    assert {row.patched: row.module for row in ROWS} == json.loads(done.stdout)


def test_every_test_in_the_table_exists() -> None:
    missing = [row for row in ROWS if row.test not in functions_in(ROOT / row.file)]
    assert not missing


def test_every_module_that_patches_says_what_moto_gets_wrong() -> None:
    """And does not send the reader elsewhere for it."""
    silent = []
    for module in sorted({row.module for row in ROWS}):
        said = ast.get_docstring(read_tree(FOLDER / module)) or ""
        if not re.search(r"\bmoto\b", said) or "is told in" in said:
            silent.append(module)
    assert not silent


def functions_in(path: Path) -> set[str]:
    tree = read_tree(path)
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("path", sorted((ROOT / "twin").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_only_this_folder_sets_attributes_of_others(path: Path) -> None:
    if path == FOLDER / "patching.py":
        return
    calls = [node for node in ast.walk(read_tree(path)) if isinstance(node, ast.Call)]
    assert not [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in ("setattr", "delattr")]
