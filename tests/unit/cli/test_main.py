"""Options of every command."""

from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

import pytest
import typer
from typer.testing import CliRunner

from pentad.cli import main, operator, target
from pentad.cli.commands.operations import keys
from pentad.cli.console import EXIT_UNAVAILABLE, CommandError


@pytest.mark.parametrize("options_first", [True, False])
def test_url_and_key_are_taken_before_and_after_a_command(
    options_first: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "TARGET", target.ApiTarget())
    command = typer.main.get_command(main.app)
    options, asked = ["--url", "http://there", "--key", "k"], ["replay", str(tmp_path / "nothing.json")]
    with pytest.raises(SystemExit) as ended:
        command(options + asked if options_first else asked + options)
    assert ended.value.code == 2
    assert target.TARGET == target.ApiTarget(url="http://there", key="k")


def test_the_version_is_that_of_the_package() -> None:
    done = CliRunner().invoke(main.app, ["--version"])
    assert (done.exit_code, done.output) == (0, f"pentad {version('pentad')}\n")


@pytest.mark.parametrize("group", ["breaker", "budgets", "keys", "kill", "schedules", "versions"])
def test_a_group_that_lists_does_so_when_no_command_is_named(group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stages: list[str | None] = []

    def refuse(stage: str | None) -> NoReturn:
        stages.append(stage)
        raise CommandError("it is not there", code=EXIT_UNAVAILABLE)

    monkeypatch.setattr(operator, "create_client", lambda service, stage, **_: refuse(stage))
    monkeypatch.setattr(operator, "open_table", lambda stage, name: refuse(stage))
    monkeypatch.setattr(keys, "open_store", refuse)
    there = ["--stage", "there", *(["--tenant", "acme"] if group in {"budgets", "keys"} else [])]
    for arguments in ([], there, ["list", *there]):
        assert CliRunner().invoke(main.app, [group, *arguments]).exit_code == EXIT_UNAVAILABLE
    assert stages == [None, "there", "there"]
    assert "Usage" in CliRunner().invoke(main.app, [group, "--help"]).output
