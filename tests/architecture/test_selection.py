"""`make test ONLY=...` runs what the name says."""

from pathlib import Path

import pytest

from tests.selection import find_tests, main


def names(root: Path, name: str) -> list[str]:
    return [path.relative_to(root / "tests").as_posix() for path in find_tests(name, root / "tests")]


@pytest.mark.parametrize("layer", ["api", "memory", "models", "observability", "orchestration", "tools", "twin"])
def test_a_layer_has_its_unit_tests_and_every_path_exists(root: Path, layer: str) -> None:
    found = names(root, layer)
    if layer != "twin":
        assert f"unit/{layer}" in found
    assert all((root / "tests" / path).exists() for path in found)


def test_a_folder_within_another_that_is_found_is_not_run_twice(root: Path) -> None:
    found = find_tests("twin", root / "tests")
    assert not [path for path in found if any(parent in found for parent in path.parents)]


def test_a_file_is_found_by_its_own_name_and_by_what_it_tests(root: Path) -> None:
    assert names(root, "selection") == names(root, "test_selection") == ["architecture/test_selection.py"]


def test_a_path_below_the_tests_is_found(root: Path) -> None:
    assert names(root, "tests/unit/models") == ["unit/models"]


def test_a_name_that_nothing_bears_is_refused_with_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nothing-has-this-name"]) == 2
    assert "memory" in capsys.readouterr().err
