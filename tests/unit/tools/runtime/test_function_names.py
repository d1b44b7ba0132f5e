"""Tests of `pentad.tools.runtime.function_names`: each tool has a function of its own, whose name Lambda takes."""

import re
from itertools import product

import pytest

from pentad.domain.ids import TOOL_CHARACTERS, TOOL_PATTERN
from pentad.tools.runtime.function_names import name_function

PREFIX = "pentad-staging-tool-"
LAMBDA = r"[a-zA-Z0-9_-]{1,64}"
LONG = "x" * (TOOL_CHARACTERS - 2)


@pytest.mark.parametrize("grouped", [False, True])
def test_names_of_any_length_fit_and_none_is_another_tools(grouped: bool) -> None:
    ends = ["".join(two) for two in product("ab_9", repeat=2)]
    tools = [f"{'x' * length}{end}" for length in range(1, TOOL_CHARACTERS - 1) for end in ends]
    assert all(re.fullmatch(TOOL_PATTERN, tool) for tool in tools)
    names = {name_function(PREFIX, tool, grouped=grouped) for tool in tools}
    assert len(names) == len(tools)
    assert [name for name in names if not re.fullmatch(LAMBDA, name)] == []


def test_a_name_that_fits_stays_readable_as_it_was() -> None:
    assert name_function(PREFIX, "find_order", grouped=False) == "pentad-staging-tool-find-order"
    assert name_function(PREFIX, "x" * 40, grouped=False) == f"{PREFIX}{'x' * 40}"
    cut = name_function(PREFIX, f"find_order_{LONG}"[:TOOL_CHARACTERS], grouped=False)
    assert cut.startswith("pentad-staging-tool-find-order-xxx")


def test_all_tools_of_a_remote_server_have_its_function() -> None:
    tools = ["tides__tide_at", f"tides__{LONG}"[:TOOL_CHARACTERS]]
    assert {name_function(PREFIX, tool, grouped=False) for tool in tools} == {f"{PREFIX}mcp-tides"}
