"""The examples of the pages about tools that ship are read as a project's own files are."""

import re
from pathlib import Path

import pytest
import yaml

from infra.tools.policy_file import read_policy
from infra.tools.tools_file import read_tools_file
from pentad.domain.declarations.agents import ToolSpec
from pentad.tools.declare.discovery import AnyTool, find_library, load_tool

PAGES = ("email", "calendar", "messages", "crm", "erp", "sql", "records", "web", "files")
_BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def split_files(block: str) -> list[tuple[str, str]]:
    """Return the parts of a block by the comment above each; a second way of saying it begins with "or"."""
    parts = re.split(r"^# (agents/\S+|tools\.yaml|policy\.yaml|or )[^\n]*\n", block, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("page", PAGES)
def test_an_example_deploys_as_it_stands(page: str, root: Path, tmp_path: Path) -> None:
    library, tried = find_library(), 0
    specs: dict[str, ToolSpec] = {}
    tools: dict[str, AnyTool] = {}
    for block in _BLOCK.findall((root / "docs" / "tools" / f"{page}.md").read_text(encoding="utf-8")):
        for name, text in split_files(block):
            if name == "policy.yaml":
                (tmp_path / "policy.yaml").write_text(text, encoding="utf-8")
                assert read_policy(tmp_path, runners=(), tools=specs).rules
            elif name.startswith("agents/"):
                tools = {one: load_tool(library[one]) for one in yaml.safe_load(text)["tools"]}
                specs |= {one: tool.spec for one, tool in tools.items()}
                tried += 1
            else:
                (tmp_path / "tools.yaml").write_text(text, encoding="utf-8")
                found = read_tools_file(tmp_path, tools, prefix="pentad-dev")
                assert found.settings.keys() == {one for one, tool in tools.items() if tool.settings is not None}
    assert tried
