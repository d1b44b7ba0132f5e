"""Which agent a state machine of an assembly is of."""

import pytest

from pentad.cli.deployable import read_agent
from pentad.domain.declarations.agents import name_machine


@pytest.mark.parametrize("prefix", ["pentad-dev", "pentad-staging"])
@pytest.mark.parametrize("pattern", ["loop", "reply"])
@pytest.mark.parametrize("agent", ["a", "my-agent-a", "reply-to-agent-a", "agent-reply-a"])
def test_a_machine_is_of_the_agent_that_its_name_says_and_of_no_other(agent: str, pattern: str, prefix: str) -> None:
    assert read_agent(f"{prefix}-{name_machine(agent, pattern)}") == agent


def test_another_machine_is_nobodys() -> None:
    assert read_agent("somebody-elses") is None
