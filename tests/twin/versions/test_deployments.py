"""A deployment while runs are under way: each ends on its own code, prompts and definition."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.twin.conftest import OwnProject
from tests.twin.stack.world import Stack, Tenant
from tests.twin.versions.release import next_release

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]

Json = dict[str, Any]
NOTE = 'Save a note titled "Oil" with the text "Order two barrels of colza oil."'
LONG = "You keep the light of the Skerry. " * 1000  # only ever measured: no assertion shows it
LONG_TOKENS = 5000


@pytest.fixture
def tenant(own: OwnProject) -> Tenant:
    return own.stack.tenant()


@pytest.fixture
def deploy(own: OwnProject, tmp_path: Path) -> Iterator[Any]:
    """Bring the twin to a release in which an agent has another prompt; afterwards to the former one."""
    key = {"x-twin-key": own.stack.facts["secret_access_key"]}
    with httpx.Client(base_url=own.stack.facts["aws_url"], trust_env=False, timeout=60, headers=key) as twin:

        def to(agent: str, prompt: str) -> None:
            release = next_release(own.folder / "cdk.out", tmp_path / "next", agent=agent, prompt=prompt)
            answer = twin.post("/_twin/update", json={"assembly": str(release)})
            assert answer.status_code == 200, answer.text

        yield to
        answer = twin.post("/_twin/rollout", json={"action": "roll_back"})
        assert answer.status_code == 200, answer.text


def version(stack: Stack, run_id: str) -> str:
    [execution] = stack.executions(run_id)
    return str(execution["stateMachineVersionArn"]).rpartition(":")[2]


def sizes(tenant: Tenant, run_id: str) -> list[int]:
    """Return how many tokens each turn of a run sent: the prompt of the next release is much longer."""
    turns = [one["usage"] for one in tenant.events(run_id, "model_attempt") if one["purpose"] == "turn"]
    kinds = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")
    return [sum(int(usage[kind]) for kind in kinds) for usage in turns]


def test_a_run_that_waits_for_a_human_ends_with_its_prompt_and_a_new_run_has_the_new_one(
    own: OwnProject, tenant: Tenant, deploy: Any
) -> None:
    waiting = tenant.ask(NOTE)
    assert waiting["status"] == "awaiting_human"
    deploy("assistant", LONG)
    new = tenant.ask("What is 2 + 2?")
    assert tenant.decide(waiting["pending_approval"], "approve").status_code == 200
    old = tenant.settle(waiting["run_id"], after=waiting["pending_approval"])
    assert (old["status"], new["status"]) == ("succeeded", "succeeded")
    assert int(version(own.stack, new["run_id"])) == int(version(own.stack, old["run_id"])) + 1
    assert len(sizes(tenant, old["run_id"])) == 2
    assert max(sizes(tenant, old["run_id"])) < LONG_TOKENS < min(sizes(tenant, new["run_id"]))
    assert [one["title"] for one in tenant.notes()] == ["Oil"]
