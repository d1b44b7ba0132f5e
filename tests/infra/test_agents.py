"""What is told of an agent's folder that is wrong."""

from pathlib import Path

import pytest

from infra.orchestration.machines.agent_files import build_catalog, read_agent
from pentad.domain.errors import ConfigurationError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "agents" / "clerk"
    folder.mkdir(parents=True)
    (folder / "prompt.md").write_text("You keep notes.\n")
    return folder


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("description: x\ntoolz: [notes]\n", "toolz: there is no field 'toolz': do you mean 'tools'?"),
        ("description: x\nhumans: {qorum: 2}\n", "humans.qorum: there is no field 'qorum'"),
        ("description: x\nhumans: {quorum: 0}\n", "humans.quorum: Input should be greater than or equal to 1"),
        ("description: x\nhumans: {on_expiry: escalate}\n", "humans.escalate_to: on_expiry is escalate: name at least"),
        ("description: x\nconfidence: {bands: {draft: 0.9}}\n", "confidence.bands: bands go downwards"),
        ("description: x\n1: y\n", "1: "),
        ("", "has no fields"),
        ("a: b\n c: [\n", "is not YAML: mapping values are not allowed here"),
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


def test_a_folder_without_a_prompt_is_told(folder: Path) -> None:
    (folder / "agent.yaml").write_text("description: x\n")
    (folder / "prompt.md").unlink()
    with pytest.raises(ConfigurationError, match=r"^agents/clerk/prompt\.md is missing$"):
        read_agent(folder)


def test_a_project_without_agents_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no agent"):
        build_catalog(tmp_path, {})
