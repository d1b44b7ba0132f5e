"""Rules about the code itself that no linter holds."""

import ast
import re
from pathlib import Path

from tests.architecture.trees import read_tree

PRODUCT = ("shared", "functions", "infra", "layers")
LONGEST_MODULE = 400
LONGEST_FUNCTION = 40
# The declaration of a tool is one call with an option a line.
LONG_ON_PURPOSE = ["shared/pentad/tools/declare/declare.py tool"]
# The two bases, the environment's settings, and a class of LangChain's. Others inherit, with keywords of the class.
CONFIGURE_MODELS = [
    "shared/pentad/api/views/view.py",
    "shared/pentad/domain/values.py",
    "shared/pentad/runtime/settings.py",
    "shared/pentad/tools/graphs/adapters/langgraph_model.py",
]
NAMELESS = {"utils", "helpers", "common", "misc"}
ROWS = (
    [f"M{n}" for n in range(1, 13)]
    + [f"O{n}" for n in range(1, 17)]
    + [f"S{n}" for n in range(1, 19)]
    + [f"T{n}" for n in range(1, 18)]
    + [f"V{n}" for n in range(1, 11)]
    + [f"D{n}" for n in range(1, 8)]
)
# Package registries and mirrors: locks carry hashes, never addresses.
_HOSTS = re.compile(r"(pypi\.org|pythonhosted\.org|registry\.npmjs|--index-url|--extra-index-url|deb\.debian\.org)")


def modules(root: Path) -> list[Path]:
    return sorted(path for folder in PRODUCT for path in (root / folder).rglob("*.py") if "cdk.out" not in path.parts)


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function less its docstring."""
    first = node.body[0]
    said = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if said else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - docstring


def test_no_module_is_longer_than_the_house_allows(root: Path) -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules(root)}
    assert len(lengths) > 100
    assert not {str(path): length for path, length in lengths.items() if length > LONGEST_MODULE}


def test_no_function_is_longer_than_the_house_allows(root: Path) -> None:
    long = [
        f"{path.relative_to(root).as_posix()} {node.name}"
        for path in modules(root)
        for node in ast.walk(read_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and code_lines(node) > LONGEST_FUNCTION
        and not (node.name == "__init__" or path.is_relative_to(root / "infra"))  # constructs list their parts
    ]
    assert long == LONG_ON_PURPOSE


def test_no_module_has_a_name_that_says_nothing(root: Path) -> None:
    assert not [path for path in modules(root) if path.stem in NAMELESS or path.parent.name in NAMELESS]


def test_every_module_says_what_it_is_for(root: Path) -> None:
    silent = [path for path in modules(root) if not ast.get_docstring(read_tree(path))]
    assert not silent


def test_a_handler_is_at_most_twenty_lines(root: Path) -> None:
    for path in (root / "functions").rglob("*.py"):
        if "tools" in path.parts:
            continue
        for node in read_tree(path).body:
            if isinstance(node, ast.FunctionDef) and node.name == "handler":
                assert (node.end_lineno or 0) - node.lineno < 20, path


def test_every_row_of_the_scope_is_in_the_list_of_what_works(root: Path) -> None:
    text = (root / "docs" / "capabilities.md").read_text(encoding="utf-8")
    named: set[str] = set()
    for cell in re.findall(r"^\| ([A-Z]\d+[A-Z0-9, -]*) \|", text, flags=re.MULTILINE):
        for part in cell.split(", "):
            first, _, last = part.partition("-")
            letter = first[0]
            named |= {f"{letter}{n}" for n in range(int(first[1:]), int((last or first)[1:]) + 1)}
    assert named == set(ROWS)


def test_no_file_names_a_package_registry(tracked: list[Path], root: Path) -> None:
    here = Path(__file__).resolve()
    named = [
        str(path.relative_to(root))
        for path in tracked
        if path.suffix in {".py", ".md", ".txt", ".in", ".toml", ".json", ".yaml", ".yml", ".sh", ""}
        and path.resolve() != here
        and _HOSTS.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert not named


def test_locked_requirements_have_hashes(root: Path) -> None:
    for lock in ("dev.txt", "lambda.txt", "trajectories.txt", "weights.txt"):
        text = (root / "requirements" / lock).read_text(encoding="utf-8")
        pinned = re.findall(r"^\S+==\S+.*(?:\n    --hash=sha256:[0-9a-f]{64}.*)+", text, flags=re.MULTILINE)
        assert len(pinned) == len(re.findall(r"^[A-Za-z0-9._-]+==", text, flags=re.MULTILINE)) > 0


def test_only_the_bases_of_values_and_views_configure_a_model(root: Path) -> None:
    own = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in modules(root)
        for node in ast.walk(read_tree(path))
        if isinstance(node, ast.AnnAssign | ast.Assign)
        and any(
            isinstance(target, ast.Name) and target.id == "model_config"
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        )
    ]
    assert sorted(place.rsplit(":", 1)[0] for place in own) == CONFIGURE_MODELS, own


def test_a_handler_imports_its_own_wiring_module_and_no_other(root: Path) -> None:
    wired = {}
    for path in (root / "functions").rglob("*.py"):
        imported = [
            f"{node.module}.{one.name}"
            for node in ast.walk(read_tree(path))
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pentad.runtime.wiring")
            for one in node.names
        ]
        if imported:
            wired[path.relative_to(root).as_posix()] = [name.rsplit(".", 1)[1] for name in imported]
    assert len(wired) > 15
    others = {name: modules for name, modules in wired.items() if modules != [Path(name).stem.replace("http", "api")]}
    assert others == {}


def test_whoever_is_ready_for_bad_json_is_ready_for_json_that_nests_deep(root: Path) -> None:
    found = [
        f"{path.relative_to(root).as_posix()}:{node.lineno}"
        for folder in ("shared", "functions", "twin", "layers", "infra")
        for path in sorted((root / folder).rglob("*.py"))
        if "cdk.out" not in path.parts
        for node in ast.walk(read_tree(path))
        if isinstance(node, ast.Try) and _reads_json(node) and "ValueError" in (caught := _list_caught(node))
        if not {"RecursionError", "Exception"} & caught
    ]
    assert not found, "use `read_json`, or catch RecursionError as well"


def _reads_json(node: ast.Try) -> bool:
    calls = (call for statement in node.body for call in ast.walk(statement) if isinstance(call, ast.Call))
    return any(ast.unparse(call.func) in ("json.loads", "json.load") for call in calls)


def _list_caught(node: ast.Try) -> set[str]:
    kinds = (handler.type for handler in node.handlers if handler.type is not None)
    return {ast.unparse(one) for kind in kinds for one in (kind.elts if isinstance(kind, ast.Tuple) else [kind])}
