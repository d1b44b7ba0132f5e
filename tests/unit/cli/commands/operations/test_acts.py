"""What operators do to budgets, switches and circuits is in the audit; what stops something is done in any case."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws
from typer.testing import CliRunner

from pentad.api.acts.subjects import BREAKERS, BUDGETS, SWITCHES
from pentad.aws.table import Table
from pentad.cli import operator
from pentad.cli.commands.operations import acts, audit, breaker, kill
from pentad.cli.commands.spending import budgets
from pentad.domain.errors import StoreUnavailable
from pentad.models.budgets.adapters.budget_definitions import DynamoBudgetStore
from pentad.orchestration.switches.adapters.switches_dynamodb import DynamoSwitches
from tests.moto_clients import client, table
from tests.unit.cli.commands.operations.test_audit import Deployment


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    with mock_aws():
        found = Deployment()
        table("transient")
        found.outputs["TransientTable"] = "transient"
        monkeypatch.setattr(operator, "create_client", lambda service, stage: client(service))
        monkeypatch.setattr(operator, "get_output", lambda stage, name: found.outputs[name])
        yield found


@pytest.fixture
def no_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise StoreUnavailable("the ledger did not answer")

    monkeypatch.setattr(acts, "append_act", fail)


def run_command(app: Any, *arguments: str) -> tuple[int, str]:
    reply = CliRunner().invoke(app, [*arguments])
    return reply.exit_code, " ".join(reply.output.split())


def list_acts(deployment: Deployment, subject: str, tenant_id: str | None = None) -> list[tuple[Any, ...]]:
    found = deployment.list_acts(tenant_id, subject)
    assert {(act.actor.key_id, act.actor.person) for act in found} == {("aws", "local")}
    assert len({act.request_id for act in found}) * 2 == len(found)
    return [(act.name, act.stage, act.status, act.target) for act in found]


def list_switches() -> list[tuple[str, str]]:
    return [(one.scope, one.subject) for one in DynamoSwitches(Table(client("dynamodb"), "transient")).get_all()]


def test_a_budget_is_set_and_removed_in_the_audit_of_its_tenant(deployment: Deployment) -> None:
    assert run_command(budgets.app, "set", "--limit", "5", "--tenant", "acme", "--scope", "user")[0] == 0
    assert run_command(budgets.app, "remove", "--tenant", "acme", "--scope", "user")[0] == 0
    assert list_acts(deployment, BUDGETS, "acme") == [
        ("set_budget", "asked", None, "user * day: $5.00, soft 0.8"),
        ("set_budget", "ended", 200, "user * day: $5.00, soft 0.8"),
        ("remove_budget", "asked", None, "user * day"),
        ("remove_budget", "ended", 200, "user * day"),
    ]
    assert run_command(audit.app, "verify", BUDGETS, "--tenant", "acme")[0] == 0
    assert "set_budget" in run_command(audit.app, "show", BUDGETS, "--tenant", "acme")[1]


def test_a_budget_of_a_run_counts_all_of_it_unless_another_period_is_named(deployment: Deployment) -> None:
    assert run_command(budgets.app, "set", "--limit", "5", "--tenant", "acme", "--scope", "run")[0] == 0
    code, shown = run_command(
        budgets.app, "set", "--limit", "5", "--tenant", "acme", "--scope", "run", "--period", "day"
    )
    assert (code, "error: the budget is not valid: a budget of scope run has the period total" in shown) == (1, True)
    assert [act[3] for act in list_acts(deployment, BUDGETS, "acme")] == ["run * total: $5.00, soft 0.8"] * 2
    assert run_command(budgets.app, "remove", "--tenant", "acme", "--scope", "run")[0] == 0


@pytest.mark.usefixtures("no_audit")
def test_a_budget_that_can_not_be_recorded_is_not_set(deployment: Deployment) -> None:
    code, shown = run_command(budgets.app, "set", "--limit", "5", "--tenant", "acme")
    assert (code, "the ledger did not answer" in shown) == (1, True)
    assert list(DynamoBudgetStore(deployment.state).list_for_tenant("acme")) == []


def test_a_switch_is_thrown_and_taken_back_in_the_audit_of_the_deployment(deployment: Deployment) -> None:
    assert run_command(kill.app, "on", "--tenant", "acme", "--all", "--reason", "leak")[0] == 0
    assert run_command(kill.app, "off", "--all")[0] == 0
    assert run_command(kill.app, "off", "--all")[0] == 1
    assert [act for act in list_acts(deployment, SWITCHES) if act[1] == "ended"] == [
        ("kill_on", "ended", 200, "tenant acme: leak"),
        ("kill_on", "ended", 200, "all *: leak"),
        ("kill_off", "ended", 200, "all *"),
        ("kill_off", "ended", 200, "all *"),
    ]
    assert list_switches() == [("tenant", "acme")]
    assert run_command(audit.app, "verify", SWITCHES) == (0, "8 entries of switches checked: none was changed")


@pytest.mark.usefixtures("deployment")
def test_a_reason_that_is_too_long_is_refused_by_its_option() -> None:
    code, shown = run_command(kill.app, "on", "--all", "--reason", "x" * 201)
    assert (code, list_switches(), "--reason may have at most 200" in shown) == (2, [], True)


@pytest.mark.usefixtures("deployment", "no_audit")
def test_what_stops_something_is_done_without_the_audit_too_and_the_operator_is_told() -> None:
    code, shown = run_command(kill.app, "on", "--all")
    assert (code, list_switches()) == (0, [("all", "*")])
    assert "warning: the audit could not record it" in shown
    assert run_command(kill.app, "off", "--all")[0] == 1
    assert list_switches() == [("all", "*")]


def test_a_circuit_is_held_and_closed_in_the_audit(deployment: Deployment) -> None:
    assert run_command(breaker.app, "open", "anthropic", "--minutes", "5")[0] == 0
    assert run_command(breaker.app, "close", "anthropic", "--tenant", "acme")[0] == 0
    assert run_command(breaker.app, "open", "nobody")[0] == 2
    assert [act[0::3] for act in list_acts(deployment, BREAKERS) if act[1] == "ended"] == [
        ("open_circuit", "anthropic for 5 minutes"),
        ("close_circuit", "anthropic of tenant 'acme'"),
    ]


def test_what_fails_is_recorded_as_failed(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise StoreUnavailable("the table did not answer")

    monkeypatch.setattr(DynamoBudgetStore, "put", fail)
    assert run_command(budgets.app, "set", "--limit", "5", "--tenant", "acme")[0] == 1
    assert [act[2] for act in list_acts(deployment, BUDGETS, "acme")] == [None, 503]


@pytest.mark.usefixtures("deployment")
def test_where_nothing_is_recorded_that_is_said() -> None:
    assert run_command(audit.app, "show", SWITCHES) == (0, "Nothing is recorded of switches.")


def test_what_operators_write_has_no_lines_to_compare_with(deployment: Deployment) -> None:
    code, shown = run_command(audit.app, "verify", SWITCHES, "--logs")
    assert (code, "leave out --logs" in shown) == (2, True)
