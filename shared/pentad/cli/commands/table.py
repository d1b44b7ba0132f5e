"""The commands of ``pentad`` by name. A command's module is imported when it is called, or help lists it.

All of them together import most of the product: a second of a core for each call of one.
"""

import importlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from pentad.cli.commands.flags import add_common_flags
from pentad.cli.console import EXIT_FAILED, print_error, print_usage_error

#: Module below `pentad.cli` and attribute: a function is a command, an app has commands of its own.
COMMANDS: Final[Mapping[str, str]] = {
    "up": "commands.twin.twin:serve_twin",
    "update": "commands.twin.update:update",
    "reset": "commands.twin.twin:reset_twin",
    "rollout": "commands.twin.update:move_rollout",
    "demo": "demo.command:run_demo",
    "chat": "commands.runs.runs:run_chat",
    "run": "commands.runs.runs:run",
    "trace": "commands.runs.trace:trace",
    "logs": "commands.runs.logs:logs",
    "fork": "commands.runs.fork:fork",
    "replay": "commands.runs.replay:replay",
    "approvals": "commands.humans.approvals:list_approvals",
    "approve": "commands.humans.approvals:approve",
    "reject": "commands.humans.approvals:reject",
    "edit": "commands.humans.approvals:edit",
    "answer": "commands.humans.approvals:answer",
    "escalate": "commands.humans.approvals:escalate",
    "undo": "commands.humans.undo:undo",
    "ingest": "commands.knowledge.ingest:ingest",
    "calibrate": "commands.quality.calibrate:calibrate",
    "forget": "commands.forget:forget",
    "cost": "commands.spending.cost:show_cost",
    "new": "commands.new:app",
    "documents": "commands.knowledge.documents:app",
    "memory": "commands.memory:app",
    "runs": "commands.runs.runs:app",
    "sessions": "commands.runs.sessions:app",
    "kill": "commands.operations.kill:app",
    "schedules": "commands.operations.schedules:app",
    "review": "commands.humans.review:app",
    "feedback": "commands.quality.feedback:app",
    "keys": "commands.operations.keys:app",
    "audit": "commands.operations.audit:app",
    "budgets": "commands.spending.budgets:app",
    "breaker": "commands.operations.breaker:app",
    "drill": "commands.operations.drill:app",
    "versions": "commands.operations.versions:app",
    "vectors": "commands.vectors:app",
    "mcp": "commands.mcp:app",
}


class CommandTable(TyperGroup):
    """The group of all commands."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command; wrong use of one is told as every other error is, in one line."""
        extra |= {"complete_var": complete_var, "windows_expand_args": windows_expand_args}
        if not standalone_mode:
            return super().main(args, prog_name, standalone_mode=False, **extra)
        try:
            code = super().main(args, prog_name, standalone_mode=False, **extra)
        except TyperException as error:
            words = sys.argv[1:] if args is None else args
            sys.exit(print_usage_error(error, json="--json" in words))
        except typer.Abort:
            sys.exit(print_error("stopped: the input ended before an answer", EXIT_FAILED))
        sys.exit(code if isinstance(code, int) else 0)

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command by its name, or None."""
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            self.commands[cmd_name] = build_command(cmd_name)
        return self.commands.get(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that is called; for what is none, every command may be the one that was meant."""
        if args and args[0] not in COMMANDS:
            for name in COMMANDS:
                self.get_command(ctx, name)
        return super().resolve_command(ctx, args)


def build_command(name: str) -> Any:
    """Import a command, with the options that every command takes after its name too."""
    module, _, attribute = COMMANDS[name].partition(":")
    found = getattr(importlib.import_module(f"pentad.cli.{module}"), attribute)
    if isinstance(found, typer.Typer):
        command: Any = typer.main.get_group(found)
        command.name = name
    else:
        alone = typer.Typer(add_completion=False)
        alone.command(name)(found)
        command = typer.main.get_command(alone)
    add_common_flags(command)
    return command
