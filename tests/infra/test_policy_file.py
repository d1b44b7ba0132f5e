"""Reading policy.yaml: what it says, and what is wrong with it by line."""

from pathlib import Path

import pytest

from infra.tools.policy_file import check_taint_rules, read_policy
from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.declarations.approval_rules import Ask, has_taint
from pentad.domain.declarations.policy import PolicySpec
from pentad.domain.errors import ConfigurationError

TOOLS = {
    name: ToolSpec(name=name, description="x", input_schema={}, effects="external") for name in ("send_email", "search")
}


def read(folder: Path, text: str | None) -> PolicySpec:
    if text is not None:
        (folder / "policy.yaml").write_text(text, encoding="utf-8")
    return read_policy(folder, runners=["assistant", "document-review"], tools=TOOLS)


@pytest.mark.parametrize("text", [None, "", "# nothing yet\n"])
def test_without_a_file_it_is_the_default_one(tmp_path: Path, text: str | None) -> None:
    policy = read(tmp_path, text)
    assert policy == PolicySpec()
    assert policy.find_answer("assistant", "send_email", "external", ("documents",)) == "ask"


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    policy = read(
        tmp_path,
        """
untrusted: {internal: ask}
rules:
  - {agents: [assistant], tools: [send_email], sources: [documents, "tool:search"], decide: allow}
  - {decide: deny}
trusted: [trigger, "mcp:tickets"]
links:
  hosts: [acme.eu, "*.acme.eu", localhost]
""",
    )
    assert policy.find_answer("assistant", "send_email", "external", ("documents", "trigger")) == "allow"
    assert policy.find_answer("document-review", "send_email", "external", ("documents",)) == "deny"
    assert policy.find_answer("document-review", "send_email", "external", ("trigger", "mcp:tickets")) == "allow"
    assert policy.links.hosts == ("acme.eu", "*.acme.eu", "localhost")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rules:\n  - tools: [send_emial]\n    decide: ask\n", "policy.yaml:2: rules.0.tools.0: no tool"),
        ("rules:\n  - tools: [send_emial]\n    decide: ask\n", "do you mean 'send_email'?"),
        (
            "rules:\n\n  - decide: ask\n    agents:\n      - assistent\n",
            "policy.yaml:5: rules.0.agents.0: no agent",
        ),
        ("rules:\n  - decide: ask\n    sources: [document]\n", "policy.yaml:3: rules.0.sources.0: no source"),
        ("trusted: ['tool:fetch']\n", "policy.yaml:1: trusted.0: no source 'tool:fetch'"),
        ("untrusted:\n  external: perhaps\n", "policy.yaml:2: untrusted.external: Input should be 'allow', 'ask'"),
        ("untrusted:\n  outside: ask\n", "policy.yaml:2: untrusted.outside: no such field"),
        ("rules:\n  - tools: [search]\n", "policy.yaml:2: rules.0.decide: Field required"),
        ("links:\n  hosts: ['https://acme.eu']\n", "policy.yaml:2: links.hosts.0: String should match"),
        ("- ask\n", "policy.yaml:1: "),
        ("rules: [\n", "policy.yaml:2: not YAML"),
        ("trusted: [memory]\n\ntrusted: []\n", "policy.yaml:3: 'trusted' is defined twice"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)
    assert says in caught.value.message


def test_a_file_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_bytes(b"# \xe4\nuntrusted: {internal: ask}\n")
    with pytest.raises(ConfigurationError, match=r"policy\.yaml is not YAML"):
        read(tmp_path, None)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("tool:serach", "no source 'tool:serach': do you mean 'tool:search'?"),
        ("document", "no source 'document': do you mean 'documents'?"),
        ("tool:search", None),
        ("mcp:tickets", None),
        ("documents", None),
    ],
)
def test_an_approval_asks_for_sources_that_there_are(source: str, says: str | None) -> None:
    asking = TOOLS["send_email"].model_copy(update={"approval": (Ask(when=has_taint(source)),)})
    tools = TOOLS | {"send_email": asking}
    if says is None:
        check_taint_rules(tools)
        return
    with pytest.raises(ConfigurationError) as caught:
        check_taint_rules(tools)
    assert says in caught.value.message
    assert "'send_email'" in caught.value.message
