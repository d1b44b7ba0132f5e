"""What every rule about the code looks at."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.trees import read_tree


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one worker of pytest-xdist take all rules: each would parse the whole code."""
    for item in items:
        if Path(item.path).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.xdist_group("architecture"))


@pytest.fixture(scope="package", autouse=True)
def _trees() -> Iterator[None]:
    yield
    read_tree.cache_clear()


@pytest.fixture(scope="module")
def tracked(root: Path) -> list[Path]:
    """Every file that git knows."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=False, timeout=60)
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in done.stdout.decode().split("\0") if name and (path := root / name).is_file()]


@pytest.fixture(scope="module")
def code(tracked: list[Path]) -> str:
    """All code and configuration, as one text."""
    return "\n".join(
        path.read_text(encoding="utf-8")
        for path in tracked
        if (path.suffix in {".py", ".yaml", ".yml", ".toml", ".sh"} or path.name in {"Makefile", "cdk.json"})
        and path.parent != Path(__file__).resolve().parent  # rules name what they forbid
    )


@pytest.fixture(scope="module")
def words(code: str) -> set[str]:
    """Every identifier that code and configuration spell."""
    return set(re.findall(r"\w+", code))
