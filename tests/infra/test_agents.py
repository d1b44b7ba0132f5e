"""What is told of an agent's folder that is wrong."""

from pathlib import Path

import pytest

from infra.orchestration.machines.agent_files import build_catalog, read_agent
from pentad.domain.errors import ConfigurationError
from pentad.memory.retrieval.knowledge import SPEC
from pentad.tools.declare.declare import tool


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "agents" / "clerk"
    folder.mkdir(parents=True)
    (folder / "prompt.md").write_text("You keep notes.\n")
    return folder


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("description: x\ntoolz: [notes]\n", "toolz: no field 'toolz': do you mean 'tools'?"),
        ("description: x\nhumans: {qorum: 2}\n", "humans.qorum: no field 'qorum'"),
        ("description: x\nhumans: {quorum: 0}\n", "humans.quorum: Input should be greater than or equal to 1"),
        ("description: x\nhumans: {on_expiry: escalate}\n", "humans.escalate_to: on_expiry is escalate: name at least"),
        ("description: x\nconfidence: {bands: {draft: 0.9}}\n", "confidence.bands: bands go downwards"),
        ("description: x\n1: y\n", "1: "),
        ("", "has no fields"),
        ("a: b\n c: [\n", "agent.yaml:2: not YAML: mapping values are not allowed"),
        ("description: x\ntask: reason\ntask: fast\n", "agent.yaml:3: 'task' is defined twice"),
        ("description: x\nlimits: {steps: 1, steps: 9}\n", "agent.yaml:2: 'steps' is defined twice"),
        ("description: 2026-13-45\n", "agent.yaml:1: not YAML: month"),
        ("description: x\nname: y\n", "'name' is not a field of an agent"),
    ],
)
def test_a_mistake_in_agent_yaml_is_one_line_with_the_file_and_the_field(folder: Path, text: str, told: str) -> None:
    (folder / "agent.yaml").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_agent(folder)
    assert caught.value.message.startswith("agents/clerk/agent.yaml")
    assert told in caught.value.message
    assert "\n" not in caught.value.message


def test_an_agent_yaml_that_is_not_utf_8_is_told(folder: Path) -> None:
    (folder / "agent.yaml").write_bytes("description: größe\n".encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"agent\.yaml is not YAML"):
        read_agent(folder)


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"Hi\ngr\xfc\xdfe", "prompt.md is not UTF-8, line 2"), (b" \n", "prompt.md is empty")],
)
def test_a_prompt_that_is_none_is_told_with_its_file(folder: Path, content: bytes, told: str) -> None:
    (folder / "agent.yaml").write_text("description: x\n")
    (folder / "prompt.md").write_bytes(content)
    with pytest.raises(ConfigurationError, match=told) as caught:
        read_agent(folder)
    assert caught.value.field == "prompt"
    assert caught.value.fix


def test_the_mark_at_the_beginning_of_a_prompt_is_no_part_of_it(folder: Path) -> None:
    (folder / "agent.yaml").write_bytes(b"\xef\xbb\xbfdescription: x\r\n")
    (folder / "prompt.md").write_bytes(b"\xef\xbb\xbfHello\r\n")
    assert read_agent(folder).prompt == "Hello"


def test_a_folder_without_a_prompt_is_told(folder: Path) -> None:
    (folder / "agent.yaml").write_text("description: x\n")
    (folder / "prompt.md").unlink()
    with pytest.raises(ConfigurationError, match=r"^'agents/clerk/prompt\.md' is missing$"):
        read_agent(folder)


def test_a_project_without_agents_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no agent"):
        build_catalog(tmp_path, {})


def test_the_built_in_search_is_in_the_catalog_where_an_agent_names_it(folder: Path) -> None:
    (folder / "agent.yaml").write_text("description: x\n")
    assert build_catalog(folder.parent, {}).tools == {}
    (folder / "agent.yaml").write_text("description: x\ntools: [search_knowledge]\n")
    catalog = build_catalog(folder.parent, {})
    assert catalog.tools == {"search_knowledge": SPEC}
    assert catalog.tool_data == {}


def test_no_tool_of_the_project_takes_the_name_of_the_built_in_search(folder: Path) -> None:
    @tool(effects="none")
    def search_knowledge(query: str) -> str:
        """Search."""
        return query

    (folder / "agent.yaml").write_text("description: x\n")
    with pytest.raises(ConfigurationError, match="built-in"):
        build_catalog(folder.parent, {"search_knowledge": search_knowledge})
