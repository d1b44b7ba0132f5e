"""How things are named: what acts begins with a verb, and a class name stands once. Figures may not get worse."""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.trees import read_tree

VERBS = frozenset((Path(__file__).parent / "verbs.txt").read_text(encoding="utf-8").split())
# The share of functions that begin with a verb, in percent; raise a figure when the tree is better than it.
SHARES = {"shared/pentad": 91, "twin": 93, "infra": 86}
PARTICIPLES = frozenset(
    "told said held made kept left found given taken known seen shown sent spent gone drawn".split()
)
# Classes of one name within one tree. A private class of a module is its own affair, but not a public one.
DOUBLED = {tree: frozenset[str]() for tree in ("shared/pentad", "twin", "infra")}


def find_functions(root: Path, tree: str) -> Iterator[tuple[Path, str]]:
    """Yield each function's file and name without underscores; properties and dunder methods do not count."""
    for path in sorted((root / tree).rglob("*.py")):
        for node in ast.walk(read_tree(path)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("__"):
                continue
            if not any("property" in ast.unparse(decorator) for decorator in node.decorator_list):
                yield path.relative_to(root), node.name.strip("_")


@pytest.mark.parametrize("tree", SHARES)
def test_what_acts_begins_with_a_verb(root: Path, tree: str) -> None:
    names = [name for _, name in find_functions(root, tree) if name]
    verbs = sum(name.split("_")[0].lower() in VERBS for name in names)
    assert 100 * verbs / len(names) >= SHARES[tree]


@pytest.mark.parametrize("tree", ["shared/pentad", "twin", "infra", "functions"])
def test_no_function_is_a_lone_participle(root: Path, tree: str) -> None:
    found = [
        f"{path.as_posix()} {name}"
        for path, name in find_functions(root, tree)
        if "_" not in name and name not in VERBS and (name in PARTICIPLES or (name.endswith("ed") and len(name) > 3))
    ]
    assert not found


@pytest.mark.parametrize("tree", DOUBLED)
def test_a_class_name_stands_once(root: Path, tree: str) -> None:
    where: dict[str, list[str]] = defaultdict(list)
    for path in sorted((root / tree).rglob("*.py")):
        for node in read_tree(path).body:
            if isinstance(node, ast.ClassDef):
                where[node.name].append(path.relative_to(root).as_posix())
    assert {name: paths for name, paths in where.items() if len(paths) > 1 and name not in DOUBLED[tree]} == {}


# What clients of the API, receivers of notices and authors of tools write and read keeps its names.
SPOKEN = ("shared/pentad/api/", "approvals/notices.py", "declare/context.py", "adapters/langgraph_tool.py")


NAMES_OF_IDS = frozenset("tenant run session user approval review thread execution".split())


@pytest.mark.parametrize("tree", ["shared/pentad", "functions"])
def test_what_holds_an_id_ends_in_id(root: Path, tree: str) -> None:
    found = []
    for path in sorted((root / tree).rglob("*.py")):
        name = path.relative_to(root).as_posix()
        for node in ast.walk(read_tree(path)):
            if isinstance(node, ast.arg):
                found += [f"{name}:{node.lineno} {node.arg}"] if _holds_id(node.arg, node.annotation) else []
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                held = _holds_id(node.target.id, node.annotation) and not any(part in name for part in SPOKEN)
                found += [f"{name}:{node.lineno} {node.target.id}"] if held else []
    assert not found


def _holds_id(name: str, annotation: ast.expr | None) -> bool:
    if name not in NAMES_OF_IDS or annotation is None:
        return False
    return ast.unparse(annotation).removesuffix(" | None") in {"str", "TenantId", "RunId", "SessionId", "UserId"}


def test_the_list_of_verbs_has_each_once() -> None:
    words = (Path(__file__).parent / "verbs.txt").read_text(encoding="utf-8").split()
    assert not [word for word, times in Counter(words).items() if times > 1]
