"""Print the paths of the tests of a layer or folder, for `make test ONLY=memory`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
# What a layer has in folders and files that do not bear its name.
_ALSO: dict[str, tuple[str, ...]] = {
    "api": ("contract/orchestration", "twin/stack/test_bad_input.py", "twin/stack/test_credentials.py"),
    "memory": ("twin/stack/test_documents.py", "twin/stack/test_answers.py", "twin/stack/test_long_runs.py"),
    "observability": ("twin/stack/test_payloads.py",),
    "orchestration": (
        *("infra/test_definitions.py", "infra/test_workflows.py", "infra/test_lifecycle.py", "twin/machine/loop"),
        *("twin/lifecycle", "twin/timetravel", "twin/versions", "twin/workflows", "twin/stack"),
    ),
    "tools": ("twin/graphs", "twin/stack/test_grants.py", "twin/stack/test_own_agent.py"),
    "twin": ("twin",),
}


def find_tests(name: str, root: Path = ROOT) -> list[Path]:
    """Return the folders and files of tests that bear a name, each once, none within another.

    Args:
        name: a layer (``memory``), a folder at any depth (``door``, ``unit/models``), or a file's (``test_budgets``).
        root: the folder of all tests.
    """
    name = name.strip("/").removeprefix("tests/")
    found = [path for path in root.rglob("*") if _bears(path.relative_to(root), name)]
    found += [root / also for also in _ALSO.get(name, ())]
    ordered = sorted(set(found))
    return [path for path in ordered if not any(parent in ordered for parent in path.parents)]


def _bears(path: Path, name: str) -> bool:
    if "__pycache__" in path.parts:
        return False
    is_test = path.suffix == ".py" and path.name.startswith("test_")
    if not (is_test or path.suffix == ""):
        return False
    return path.as_posix() == name or path.name == name or (is_test and path.stem in (name, f"test_{name}"))


def main(arguments: list[str]) -> int:
    """Print the paths, one a line; 2 where there are none."""
    found = find_tests(arguments[0]) if len(arguments) == 1 else []
    if not found:
        named = sorted({path.name for path in ROOT.rglob("*") if path.is_dir() and path.name[0] not in "_."})
        sys.stderr.write(f"No tests named {' '.join(arguments)!r}. Name a layer, folder or file: {', '.join(named)}\n")
        return 2
    sys.stdout.write("".join(f"{path}\n" for path in found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
