"""Unit tests mirror the source: each stands in the folder of the room that it tests (AGENTS.md, Tests)."""

import ast
from pathlib import Path

import pytest

from tests.architecture.trees import read_tree

UNIT = Path("tests", "unit")
SOURCES = {"pentad": Path("shared", "pentad"), "": Path(), "tests.twin": Path("tests", "twin")}
"""Where the source of a test's folder may be, by the package that it is imported from."""


def imported(path: Path) -> set[str]:
    """Return the modules that a file imports, and what it takes from them as if each were a module."""
    found: set[str] = set()
    for node in ast.walk(read_tree(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def rooms(root: Path, folder: Path) -> dict[str, Path]:
    """Return the source folders of a test folder, by their package."""
    return {
        ".".join(filter(None, (package, *folder.parts))): root / base / folder
        for package, base in SOURCES.items()
        if (root / base / folder / "__init__.py").is_file()
    }


def modules_of(room: Path) -> set[str]:
    """Return the modules of a room and of its adapters."""
    return {path.stem for folder in (room, room / "adapters") for path in folder.glob("*.py")} - {"__init__"}


def mirrors(root: Path, test: Path) -> bool:
    """Tell whether a test is named for a module of its room, or imports one."""
    name = test.stem.removeprefix("test_")
    for package, room in rooms(root, test.parent.relative_to(root / UNIT)).items():
        modules = modules_of(room)
        if not modules:  # The rooms are below: such a test is of several.
            return any(module.startswith(f"{package}.") for module in imported(test))
        if any(name == module or name.startswith(f"{module}_") for module in modules):
            return True
        own = {f"{package}.{module}" for module in modules} | {f"{package}.adapters.{module}" for module in modules}
        if own & imported(test):
            return True
    return False


def test_each_folder_of_unit_tests_has_a_source_folder_of_the_same_path(root: Path) -> None:
    folders = {path.parent.relative_to(root / UNIT) for path in (root / UNIT).rglob("test_*.py")}
    assert len(folders) > 40
    assert not [folder.as_posix() for folder in sorted(folders) if not rooms(root, folder)]


def test_each_unit_test_is_named_for_a_module_of_its_room_or_imports_one(root: Path) -> None:
    tests = sorted((root / UNIT).rglob("test_*.py"))
    assert not [test.relative_to(root).as_posix() for test in tests if not mirrors(root, test)]


@pytest.mark.parametrize(
    ("name", "text", "same"),
    [
        ("test_think.py", "", True),
        ("test_think_loop.py", "", True),
        ("test_seams.py", "from pentad.orchestration.turn import think", True),
        ("test_seams.py", "from pentad.orchestration.turn.think import Think", True),
        ("test_seams.py", "from pentad.orchestration.approvals.ask import Asking", False),
    ],
)
def test_a_test_of_another_room_is_found(tmp_path: Path, name: str, text: str, same: bool) -> None:
    room, test = tmp_path / "shared/pentad/orchestration/turn", tmp_path / "tests/unit/orchestration/turn" / name
    for folder in (room, test.parent):
        folder.mkdir(parents=True)
    (room / "__init__.py").touch()
    (room / "think.py").touch()
    test.write_text(text, encoding="utf-8")
    assert mirrors(tmp_path, test) is same
