"""Commands are imported when they are called; help and mistakes know all of them."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from pentad.cli import console
from pentad.cli.commands.table import COMMANDS, CommandTable, build_command
from pentad.cli.main import app


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_says_what_it_does_and_takes_the_common_options(name: str) -> None:
    command = build_command(name)
    assert command.get_short_help_str()
    below = list(getattr(command, "commands", {}).values())
    for one in below or [command]:
        taken = {option for param in one.params for option in param.opts}
        assert {"--json", "--debug", "--url", "--key"} <= taken


def test_help_lists_every_command() -> None:
    listed = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    assert [name for name in COMMANDS if f"│ {name} " not in listed] == []


def test_a_mistyped_command_is_told_what_was_meant() -> None:
    done = CliRunner().invoke(app, ["appprove"])
    assert done.exit_code == 2
    assert "Did you mean" in done.output and "approve" in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("approve", "error: missing argument 'approval' (see 'pentad approve --help')"),
        ("budgets set", "error: missing option '--limit' (see 'pentad budgets set --help')"),
        ("rollout sideways", "error: invalid value for 'action': 'sideways' is not one of 'advance', 'finish'"),
        ("runs --limit 0", "error: invalid value for '--limit': Input should be greater than or equal to 1 (see"),
        ("run hi --wat", "error: no such option: --wat"),
        ("budgets set x y --limit 1", "error: got unexpected extra argument(s) (x y) (see"),
        ("drill nothing", "error: no such command 'nothing' (see 'pentad drill --help')"),
    ],
)
def test_wrong_use_is_told_in_one_line(words: str, said: str) -> None:
    done = CliRunner().invoke(app, words.split())
    assert (done.exit_code, done.stdout, len(done.stderr.strip().splitlines())) == (2, "", 1)
    assert done.stderr.startswith(said)


def test_wrong_use_is_told_as_json_where_that_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.OPTIONS, "json", False)
    done = CliRunner().invoke(app, ["budgets", "set", "--json"])
    told = json.loads(done.stdout)
    assert (done.exit_code, told["code"], "missing option '--limit'" in told["error"]) == (2, 2, True)


def test_help_and_versions_are_no_errors() -> None:
    assert [CliRunner().invoke(app, words).exit_code for words in (["--help"], ["keys", "--help"], ["--version"])] == [
        0
    ] * 3
    assert CliRunner().invoke(app, []).exit_code == 2


def test_a_command_imports_what_it_needs_alone() -> None:
    program = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from pentad.cli.main import app\n"
        "assert CliRunner().invoke(app, ['keys', '--help']).exit_code == 0\n"
        "print(*sorted({name for name in sys.modules if name.startswith('pentad.cli.commands.')}))\n"
        "print(*sorted({name for name in sys.modules if name.startswith(('pentad.memory', 'pentad.tools', 'twin'))}))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    commands, others = done.stdout.split("\n")[:2]
    assert "pentad.cli.commands.operations.keys" in commands
    assert (
        "pentad.cli.commands.runs" not in commands.split()
        and "pentad.cli.commands.knowledge.ingest" not in commands.split()
    )
    assert others == ""


def test_input_that_ends_before_an_answer_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(*_: object) -> None:
        raise EOFError

    monkeypatch.setattr(CommandTable, "invoke", leave)
    done = CliRunner().invoke(app, ["up"])
    assert (done.exit_code, done.stderr.strip()) == (1, "error: stopped: the input ended before an answer")
