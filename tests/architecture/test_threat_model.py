"""The threat model states for each threat whether it is stopped, and names tests that exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

STATES = {"holds", "open"}
COLUMNS = ["from → to", "what may happen", "what stops it", "state", "test"]
_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@pytest.fixture(scope="module")
def rows(root: Path) -> list[list[str]]:
    """The cells of each row of the tables of threats."""
    found, within = [], False
    for line in (root / "docs/threat-model.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if cells == COLUMNS:
            within = True
        elif not cells:
            within = False
        elif within and not set(cells[0]) <= {"-"}:
            found.append(cells)
    assert len(found) > 40, "the test looks at nothing"
    return found


@cache
def list_tests(path: Path) -> set[str]:
    """The functions of a test module, those of classes too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_threat_has_its_state(rows: list[list[str]]) -> None:
    assert not [row for row in rows if len(row) != len(COLUMNS) or row[3] not in STATES]


def test_what_holds_names_its_control_and_a_test(rows: list[list[str]]) -> None:
    assert not [row[:2] for row in rows if row[3] == "holds" and not (row[2] and _TEST.search(row[4]))]


def test_every_test_that_is_named_exists(root: Path) -> None:
    text = (root / "docs/threat-model.md").read_text(encoding="utf-8")
    named = _TEST.findall(text)
    assert named
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (root / path).is_file() or (name and name not in list_tests(root / path))
    ]
    assert not missing, "\n".join(missing)
