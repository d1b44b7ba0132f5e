"""Commands about one tenant: on the twin it is the twin's own; of a deployed stage it has to be named."""

from datetime import UTC, datetime
from typing import Any

import pytest
from moto import mock_aws
from typer.testing import CliRunner

from pentad.aws.table import Table
from pentad.cli import main, operator
from pentad.cli.commands.table import COMMANDS, build_command
from pentad.cli.console import EXIT_USAGE, CommandError
from pentad.cli.target import LOCAL_TENANT
from pentad.domain.errors import InvalidInput
from pentad.orchestration.switches.adapters.switches_dynamodb import DynamoSwitches
from pentad.orchestration.switches.ports import ToolHealth
from tests.moto_clients import table

OPTIONAL = {"cost", "logs", "breaker list", "breaker open", "breaker close", "kill list", "kill on", "kill off"}
"""Without a tenant they are about the whole stage, or about a key's; `cost` refuses a stage alone."""


def list_commands() -> dict[str, Any]:
    """Return the commands that take a stage and a tenant, by their names."""
    found: dict[str, Any] = {}
    for name in COMMANDS:
        command = build_command(name)
        inner = {f"{name} {each}": one for each, one in getattr(command, "commands", {}).items()} or {name: command}
        found |= {each: one for each, one in inner.items() if {"--stage", "--tenant"} <= list_options(one)}
    return found


def list_options(command: Any) -> set[str]:
    return {option for param in command.params for option in param.opts}


def fill(command: Any) -> list[str]:
    """Return what a command needs beside a tenant."""
    given = {"--limit": "5", "--out": "out", "--since": "2026-01-01", "--to-secret": "secret.json"}
    needed = [param for param in command.params if param.required]
    options = [word for param in needed if param.opts[0] in given for word in (param.opts[0], given[param.opts[0]])]
    return options + ["keys" for param in needed if not param.opts[0].startswith("-")]


@pytest.mark.parametrize("name", [*sorted(list_commands().keys() - OPTIONAL - {"vectors migrate"}), "cost"])
def test_a_stage_alone_is_refused_before_anything_is_asked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("AWS was asked")

    monkeypatch.setattr(operator, "create_client", fail)
    monkeypatch.setattr("boto3.client", fail)
    reply = CliRunner().invoke(main.app, [*name.split(), *fill(list_commands()[name]), "--stage", "prod"])
    assert reply.exit_code == EXIT_USAGE
    assert "A stage has many tenants. Fix: add --tenant TENANT" in " ".join(reply.output.split())


def test_whose_tools_are_out_of_order_is_told_of_a_named_tenant_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with mock_aws():
        transient = Table(table("transient"), "transient")
        monkeypatch.setattr(operator, "open_table", lambda stage, name: transient)
        health = ToolHealth(tool="notes", failures=9, error="ToolFailed", failed_at=datetime(2026, 11, 30, tzinfo=UTC))
        assert DynamoSwitches(transient).save("acme", health)
        told = {
            arguments: CliRunner().invoke(main.app, ["kill", "list", "--stage", "prod", *arguments]).output
            for arguments in ((), ("--tenant", "acme"), ("--tenant", "other"), ("--json",))
        }
    assert "add --tenant TENANT to see them" in told[()]
    assert "notes" in told["--tenant", "acme"] and "notes" not in told["--tenant", "other"]
    assert '"tools": null' in told[("--json",)]


def test_no_option_for_a_tenant_has_a_tenant_as_its_default() -> None:
    found = {
        name: param.default
        for name, command in list_commands().items()
        for param in command.params
        if "--tenant" in param.opts and param.default
    }
    assert found == {}


def test_the_twins_own_tenant_is_meant_where_none_is_named() -> None:
    assert operator.choose_tenant(None, None, "keys") == LOCAL_TENANT
    assert operator.choose_tenant(None, "acme", "keys") == operator.choose_tenant("prod", "acme", "keys") == "acme"


def test_a_name_that_no_tenant_can_have_is_refused() -> None:
    with pytest.raises(InvalidInput):
        operator.choose_tenant("prod", "a b", "keys")
    with pytest.raises(CommandError):
        operator.choose_tenant("prod", None, "keys")
