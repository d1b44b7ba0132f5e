"""``pentad schedules``: what starts runs at set times, and one of them now, through EventBridge Scheduler itself."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from pentad.cli import operator
from pentad.cli.console import EXIT_UNAVAILABLE, OPTIONS, OUT, CommandError, handle_errors, print_json
from pentad.cli.screen import Grid

app = typer.Typer(
    cls=operator.ListingGroup,
    help="Schedules of agents and workflows (`schedules` in agent.yaml), with the operator's AWS credentials.",
)

_MOST = 500
_PAGE = 50
_NAME_CHARACTERS = 64
_TWIN_LEAD = timedelta(seconds=1)
_AWS_LEAD = timedelta(seconds=30)
"""A moment that has passed never fires: AWS's clock may be ahead of this machine's."""


@app.command("list")
def list_(stage: operator.Stage = None) -> None:
    """Show the schedules of a deployment."""
    with handle_errors():
        scheduler, prefix = operator.create_client("scheduler", stage), _name_prefix(stage)
        found = [_build_view(one, prefix) for one in _call_scheduler(lambda: _list_schedules(scheduler, prefix))]
        if OPTIONS.json:
            print_json({"schedules": found})
            return
        if not found:
            OUT.print("No agent has a schedule.")
            return
        grid = Grid()
        for heading in found[0]:
            grid.add_column(heading, no_wrap=True)
        for one in found:
            grid.add_row(*(str(value or "") for value in one.values()))
        OUT.print(grid)


@app.command("fire")
def fire(
    name: Annotated[str, typer.Argument(help="AGENT-SCHEDULE, as `pentad schedules list` prints it.")],
    stage: operator.Stage = None,
) -> None:
    """Let a schedule fire once, now: by a one-time copy of it that deletes itself, so with its role, target and input.

    On AWS it takes up to a minute and a half; the schedule's own times stay as they are.
    """
    with handle_errors():
        scheduler, prefix = operator.create_client("scheduler", stage), _name_prefix(stage)
        schedule = _call_scheduler(lambda: scheduler.get_schedule(Name=f"{prefix}{name}"))
        moment = datetime.now(UTC).replace(microsecond=0) + (_TWIN_LEAD if stage is None else _AWS_LEAD)
        due = f"{moment + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}"
        suffix = f"-now-{due[-8:].replace(':', '')}"
        _call_scheduler(
            lambda: scheduler.create_schedule(
                Name=f"{prefix}{name}"[: _NAME_CHARACTERS - len(suffix)] + suffix,
                ScheduleExpression=f"at({due})",
                ScheduleExpressionTimezone="UTC",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target=schedule["Target"],
            )
        )
        fired = {"schedule": name, "due": f"{due}Z"}
        if OPTIONS.json:
            print_json(fired)
        else:
            tenant = _build_view(schedule, prefix)["tenant"]
            OUT.print(f"{name} fires at {due}Z; `pentad runs` with a key of tenant '{tenant}' shows what it starts.")


def _name_prefix(stage: str | None) -> str:
    return f"pentad-{stage or operator.TWIN_STAGE}-"


def _list_schedules(scheduler: Any, prefix: str) -> list[dict[str, Any]]:
    pages = scheduler.get_paginator("list_schedules").paginate(
        NamePrefix=prefix, PaginationConfig={"MaxItems": _MOST, "PageSize": _PAGE}
    )
    names = sorted(one["Name"] for page in pages for one in page["Schedules"])
    return [scheduler.get_schedule(Name=name) for name in names]


def _call_scheduler(ask: Callable[[], Any]) -> Any:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return ask()
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            raise CommandError("no such schedule; list them with `pentad schedules list`") from error
        raise CommandError(f"EventBridge Scheduler refused: {error}") from error
    except BotoCoreError as error:
        raise CommandError(f"can't reach EventBridge Scheduler: {error}", code=EXIT_UNAVAILABLE) from error


def _build_view(schedule: dict[str, Any], prefix: str) -> dict[str, Any]:
    target = schedule["Target"]
    asks = json.loads(target["Input"]) if target.get("Input", "").startswith("{") else {}
    return {
        "name": schedule["Name"].removeprefix(prefix),
        "expression": schedule["ScheduleExpression"],
        "timezone": schedule.get("ScheduleExpressionTimezone", "UTC"),
        "state": schedule.get("State", "ENABLED").lower(),
        "agent": asks.get("agent"),
        "tenant": asks.get("tenant"),
        "session": asks.get("session"),
    }
