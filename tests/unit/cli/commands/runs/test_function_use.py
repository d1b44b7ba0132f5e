"""The table of what functions take: found by full names, and whole."""

import pytest

from pentad.cli.commands.runs.function_use import MODEL_CALL, RUN_START, USES, FunctionUse, find_memory_mb, find_use


@pytest.mark.parametrize("name", USES)
def test_a_function_is_found_by_its_full_name(name: str) -> None:
    assert find_use(f"pentad-dev-{name}") is USES[name]
    assert find_use(name) is USES[name]


@pytest.mark.parametrize("name", ["pentad-dev-await-human", "function", "pentad-dev-tool-recaller", ""])
def test_what_was_not_measured_is_not_guessed(name: str) -> None:
    assert find_use(name) is None
    assert find_memory_mb(name) == 512


@pytest.mark.parametrize("use", [RUN_START, MODEL_CALL, *USES.values()])
def test_each_entry_has_units_of_its_requests(use: FunctionUse) -> None:
    # A request takes half a read unit at least.
    assert use.read_units + use.write_units >= use.requests / 2
