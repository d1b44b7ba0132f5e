"""Options of every command."""

from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pentad.cli import main, target


@pytest.mark.parametrize("options_first", [True, False])
def test_url_and_key_are_taken_before_and_after_a_command(
    options_first: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "TARGET", target.ApiTarget())
    command = typer.main.get_command(main.app)
    for one in command.commands.values():  # type: ignore[attr-defined]
        main._add_common_flags(one)
    options, asked = ["--url", "http://there", "--key", "k"], ["replay", str(tmp_path / "nothing.json")]
    with pytest.raises(SystemExit) as ended:
        command(options + asked if options_first else asked + options)
    assert ended.value.code == 2
    assert target.TARGET == target.ApiTarget(url="http://there", key="k")


def test_the_version_is_that_of_the_package() -> None:
    done = CliRunner().invoke(main.app, ["--version"])
    assert (done.exit_code, done.output) == (0, f"pentad {version('pentad')}\n")
