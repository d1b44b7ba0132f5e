"""Kill switches of every kind, thrown by an operator while a run is under way, on the deployed stack."""

from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner

from pentad.cli.main import app
from tests.twin.conftest import OwnProject
from tests.twin.stack.test_humans import begin, decided, end, note, says
from tests.twin.stack.world import Json, Stack, Tenant

# A switch for everything is for a twin that no other worker uses.
pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]

REASON = "an audit"


@pytest.fixture
def stack(scripted: Stack) -> Stack:
    return scripted


@pytest.fixture
def kill(own: OwnProject, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Throw switches as an operator does; they are taken back after the test."""
    monkeypatch.chdir(own.folder)
    thrown: list[list[str]] = []

    def throw(scope: str) -> None:
        subject = {"agent": ["clerk"], "tool": ["notes"], "tenant": [tenant.name], "all": []}[scope]
        thrown.append([f"--{scope}", *subject])
        done = CliRunner().invoke(app, ["kill", "on", *thrown[-1], "--reason", REASON])
        assert done.exit_code == 0, done.output

    yield throw
    for one in thrown:
        assert CliRunner().invoke(app, ["kill", "off", *one]).exit_code == 0


def results(tenant: Tenant, view: Json) -> list[str]:
    return [one["content"] for message in tenant.messages(view["session"]) for one in message["tool_results"]]


@pytest.mark.parametrize("scope", ["agent", "tenant", "all"])
def test_what_is_switched_off_stops_before_its_effect_and_starts_no_more(
    tenant: Tenant, kill: Callable[[str], None], scope: str
) -> None:
    view = begin(tenant, "clerk", note(), says("Saved."))
    kill(scope)
    decided(tenant.decide(view["pending_approval"], "approve"))
    ended = end(tenant, view)
    assert (ended["status"], REASON in ended["stop_reason"]) == ("stopped", True)
    assert [REASON in one for one in results(tenant, view)] == [True]
    assert (tenant.notes(), tenant.lease_is_free(view["session"])) == ([], True)
    again = {"agent": "clerk", "message": "Please."}
    forked = tenant.post(f"/v1/runs/{view['run_id']}/fork", {"at": 0})
    for refused in (tenant.post("/v1/runs", again), forked):
        assert (refused.status_code, refused.json()["code"]) == (403, "PolicyDenied"), refused.text
        assert REASON in refused.json()["detail"]


def test_a_tool_that_is_switched_off_refuses_and_the_run_goes_on_without_it(
    tenant: Tenant, kill: Callable[[str], None]
) -> None:
    view = begin(tenant, "clerk", note(), says("Then not."))
    kill("tool")
    decided(tenant.decide(view["pending_approval"], "approve"))
    ended = end(tenant, view)
    assert (ended["status"], ended["answer"], tenant.notes()) == ("succeeded", "Then not.", [])
    assert [f"'notes' has been switched off by an operator: {REASON}" in one for one in results(tenant, view)] == [True]
